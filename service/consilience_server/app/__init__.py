"""Use cases and ports; knows no gRPC, Redis, Prometheus or Lance."""
