# The server from the built wheel; `make image` builds both. Nothing here needs a daemon or a particular builder.
#
#   make image                                            CPU
#   make image ARGS="--target gpu"                        GPU: the wheels bring CUDA, the host its driver and container toolkit
#   make image ARGS="--build-arg BASE_IMAGE=..."          any base with Python 3.11 or newer and its venv module
#
#   docker run --read-only --tmpfs /tmp -v consilience:/data -p 127.0.0.1:50051:50051 -p 127.0.0.1:9464:9464 consilience --insecure
#
# It listens on all addresses of its container, so it starts with TLS and keys (CONSILIENCE_TLS_CERT, _TLS_KEY, _API_KEYS) or --insecure.

ARG BASE_IMAGE=python:3.13-slim-bookworm

FROM ${BASE_IMAGE} AS wheel
COPY deploy/constraints.txt dist/consilience-*.whl /build/
RUN python3 -m venv /opt/consilience \
    && /opt/consilience/bin/python -m pip install --no-cache-dir --upgrade --constraint /build/constraints.txt pip \
    && /opt/consilience/bin/python -m pip install --no-cache-dir --no-deps /build/consilience-*.whl

# The kernels for the processor of the image; which instruction set serves is decided when it runs.
FROM wheel AS kernels
RUN apt-get update && apt-get install -y --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*
COPY service/kernels /build/kernels
RUN /opt/consilience/bin/python -m pip wheel --no-cache-dir --no-deps --build-constraint /build/constraints.txt \
    --wheel-dir /build/wheels /build/kernels

# The wheel is there already: these bring what its extra needs, and never another release of it.
FROM wheel AS cpu-environment
RUN /opt/consilience/bin/python -m pip install --no-cache-dir --constraint /build/constraints.txt "consilience[server,onnx]"
COPY --from=kernels /build/wheels /build/wheels
RUN /opt/consilience/bin/python -m pip install --no-cache-dir --no-deps /build/wheels/consilience_kernels-*.whl

FROM wheel AS gpu-environment
RUN /opt/consilience/bin/python -m pip install --no-cache-dir --constraint /build/constraints.txt "consilience[server-gpu,onnx]"
COPY --from=kernels /build/wheels /build/wheels
RUN /opt/consilience/bin/python -m pip install --no-cache-dir --no-deps /build/wheels/consilience_kernels-*.whl

FROM ${BASE_IMAGE} AS runtime
RUN install -d -o 10001 -g 10001 /data
ENV PATH=/opt/consilience/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CONSILIENCE_DATA_DIR=/data \
    CONSILIENCE_HOST=0.0.0.0 \
    CONSILIENCE_METRICS_HOST=0.0.0.0 \
    CONSILIENCE_LOG_FORMAT=json
VOLUME /data
EXPOSE 50051 9464
USER 10001:10001
# Builders that write OCI images leave this out; orchestrators ask /livez, /readyz and /startupz themselves.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9464/livez', timeout=2)"]
ENTRYPOINT ["python3", "-m", "consilience_server"]

FROM runtime AS gpu
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=gpu-environment /opt/consilience /opt/consilience

# The default.
FROM runtime AS cpu
COPY --from=cpu-environment /opt/consilience /opt/consilience
