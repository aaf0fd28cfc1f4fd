from consilience.v1 import alignment_pb2 as _alignment_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StitchingArchitecture(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STITCHING_ARCHITECTURE_UNSPECIFIED: _ClassVar[StitchingArchitecture]
    STITCHING_ARCHITECTURE_LINEAR: _ClassVar[StitchingArchitecture]
    STITCHING_ARCHITECTURE_RESIDUAL_MLP: _ClassVar[StitchingArchitecture]

class StitchingLoss(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STITCHING_LOSS_UNSPECIFIED: _ClassVar[StitchingLoss]
    STITCHING_LOSS_COSINE_RELATIONAL: _ClassVar[StitchingLoss]
    STITCHING_LOSS_INFONCE: _ClassVar[StitchingLoss]
STITCHING_ARCHITECTURE_UNSPECIFIED: StitchingArchitecture
STITCHING_ARCHITECTURE_LINEAR: StitchingArchitecture
STITCHING_ARCHITECTURE_RESIDUAL_MLP: StitchingArchitecture
STITCHING_LOSS_UNSPECIFIED: StitchingLoss
STITCHING_LOSS_COSINE_RELATIONAL: StitchingLoss
STITCHING_LOSS_INFONCE: StitchingLoss

class StitchingOptions(_message.Message):
    __slots__ = ("architecture", "loss", "hidden", "relational_weight", "temperature", "max_epochs")
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_FIELD_NUMBER: _ClassVar[int]
    RELATIONAL_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    MAX_EPOCHS_FIELD_NUMBER: _ClassVar[int]
    architecture: StitchingArchitecture
    loss: StitchingLoss
    hidden: int
    relational_weight: float
    temperature: float
    max_epochs: int
    def __init__(self, architecture: _Optional[_Union[StitchingArchitecture, str]] = ..., loss: _Optional[_Union[StitchingLoss, str]] = ..., hidden: _Optional[int] = ..., relational_weight: _Optional[float] = ..., temperature: _Optional[float] = ..., max_epochs: _Optional[int] = ...) -> None: ...

class StitchingReport(_message.Message):
    __slots__ = ("architecture", "loss", "hidden", "relational_weight", "temperature", "epochs", "best_epoch", "validation_pairs", "validation_recall", "validation_reciprocal_rank", "start_recall", "device", "information", "information_interval", "information_pairs")
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_FIELD_NUMBER: _ClassVar[int]
    RELATIONAL_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    EPOCHS_FIELD_NUMBER: _ClassVar[int]
    BEST_EPOCH_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_PAIRS_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_RECALL_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_RECIPROCAL_RANK_FIELD_NUMBER: _ClassVar[int]
    START_RECALL_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    INFORMATION_FIELD_NUMBER: _ClassVar[int]
    INFORMATION_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    INFORMATION_PAIRS_FIELD_NUMBER: _ClassVar[int]
    architecture: StitchingArchitecture
    loss: StitchingLoss
    hidden: int
    relational_weight: float
    temperature: float
    epochs: int
    best_epoch: int
    validation_pairs: int
    validation_recall: float
    validation_reciprocal_rank: float
    start_recall: float
    device: str
    information: float
    information_interval: _alignment_pb2.Interval
    information_pairs: int
    def __init__(self, architecture: _Optional[_Union[StitchingArchitecture, str]] = ..., loss: _Optional[_Union[StitchingLoss, str]] = ..., hidden: _Optional[int] = ..., relational_weight: _Optional[float] = ..., temperature: _Optional[float] = ..., epochs: _Optional[int] = ..., best_epoch: _Optional[int] = ..., validation_pairs: _Optional[int] = ..., validation_recall: _Optional[float] = ..., validation_reciprocal_rank: _Optional[float] = ..., start_recall: _Optional[float] = ..., device: _Optional[str] = ..., information: _Optional[float] = ..., information_interval: _Optional[_Union[_alignment_pb2.Interval, _Mapping]] = ..., information_pairs: _Optional[int] = ...) -> None: ...
