"""Compared alignments: answers as results."""

from consilience._codec.alignment import decode_difference, decode_report
from consilience._results.alignment_comparison import AlignmentComparison
from consilience._results.base import NO_DETAILS, CallDetails
from consilience.v1 import comparison_pb2


def decode_comparison(message: comparison_pb2.AlignmentComparison, details: CallDetails = NO_DETAILS) -> AlignmentComparison:
    """An AlignmentComparison."""
    first, second = decode_report(message.first), decode_report(message.second)
    differences = dict(zip(first.by_k, map(decode_difference, message.differences), strict=True))
    return AlignmentComparison(first, second, differences, details=details)
