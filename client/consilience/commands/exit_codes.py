"""What the exit codes of the command line mean: the one table."""

from consilience import errors

USAGE = 2
ALARM = 6
REEMBED = 7
UNDECIDED = 8
KEEP = 9
INTERRUPTED = 130

EXIT_CODES: dict[type[errors.ConsilienceError], int] = {
    errors.ConsilienceError: 1,
    errors.InvalidArgumentError: USAGE,
    errors.UnimplementedError: USAGE,
    errors.MissingExtraError: USAGE,
    errors.NotFoundError: 3,
    errors.AlreadyExistsError: 4,
    errors.FailedPreconditionError: 4,
    errors.AbortedError: 4,
    errors.UnauthenticatedError: 5,
    errors.PermissionDeniedError: 5,
}

HELP = (
    "Exit codes: 0 success; 1 the server failed, is overloaded or was not reached; 2 wrong usage, an invalid argument or a missing extra; "
    "3 not found; 4 it exists already, or the state does not allow it; 5 not allowed; 6 a watch alarms; "
    "7 to 9 of `gate`: re-embed, undecided, keep the old encoder; 130 interrupted. "
    "A dry run (estimate) ends with the code of the refusal that it foresees."
)


def exit_code(error: errors.ConsilienceError) -> int:
    """The code of an error: that of the nearest class in the table."""
    return exit_code_of(type(error))


def exit_code_of(error: type[errors.ConsilienceError]) -> int:
    """The code of errors of a class."""
    return next(EXIT_CODES[kind] for kind in error.__mro__ if kind in EXIT_CODES)
