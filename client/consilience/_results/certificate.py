"""Why neighbours are exact."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Certificate:
    """Why the neighbours are exact: the arithmetic that proposed, the proven error bound, rows proven and rows done again."""

    scan_dtype: str
    error_bound: float
    certified_rows: int
    refined_rows: int
    exact_dots: int
    backend: str

    def share(self, rows: int, of: int) -> "Certificate":
        """That of `rows` of the `of` rows searched together: any of them may be those refined; exact scores go by the share."""
        refined = min(rows, self.refined_rows)
        return replace(self, certified_rows=rows - refined, refined_rows=refined, exact_dots=self.exact_dots * rows // max(of, 1))
