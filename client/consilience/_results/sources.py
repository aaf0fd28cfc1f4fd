"""What each metric is, in words, and who to cite for it: one table for methods sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Source:
    """A method as a paper would name it, and its citation."""

    name: str
    citation: str

    def __str__(self) -> str:
        return f"{self.name} ({self.citation})"


_PLATONIC = "Huh et al. 2024, arXiv:2405.07987"

METRICS: Mapping[str, Source] = MappingProxyType(
    {
        "mutual_knn": Source("mutual k-nearest neighbours", _PLATONIC),
        "cycle_knn": Source("cycle k-nearest neighbours, the first step taken in the second space", _PLATONIC),
        "lcs_knn": Source("the longest common subsequence of ordered neighbour lists as a share of k", _PLATONIC),
        "edit_distance_knn": Source("one less the Levenshtein distance of ordered neighbour lists as a share of k", _PLATONIC),
        "cknna": Source("CKNNA as in the code of its authors", _PLATONIC),
        "cknna_paper": Source("CKNNA as in the paper of its authors, equations 16 to 18", _PLATONIC),
        "cknna_centred": Source("CKNNA with centred neighbour kernels", "arXiv:2602.14486, equation 36"),
        "cka": Source("linear centred kernel alignment", "Kornblith et al. 2019, arXiv:1905.00414"),
        "unbiased_cka": Source(
            "linear centred kernel alignment with the unbiased HSIC",
            "Song et al. 2012, JMLR 13:1393-1434; Nguyen et al. 2021, arXiv:2010.15327",
        ),
        "rbf_cka": Source("centred kernel alignment with Gaussian kernels", "Kornblith et al. 2019, arXiv:1905.00414"),
        "cca": Source(
            "the mean canonical correlation",
            "Hotelling 1936, Biometrika 28:321-377; by orthonormal bases, Bjorck and Golub 1973, Math. Comp. 27:579-594",
        ),
        "svcca": Source("singular vector canonical correlation analysis", "Raghu et al. 2017, arXiv:1706.05806"),
        "procrustes": Source(
            "Procrustes similarity in units of the second space", "arXiv:2602.14486; Schonemann 1966, Psychometrika 31:1-10"
        ),
        "angular_shape": Source("the angular shape metric, as 1 - 2 theta / pi", "Williams et al. 2021, arXiv:2110.14739"),
        "rsa": Source(
            "representational similarity analysis", "Kriegeskorte, Mur and Bandettini 2008, Frontiers in Systems Neuroscience 2:4"
        ),
        "linear_predictivity": Source("cross-validated linear predictivity", "Yamins et al. 2014, PNAS 111:8619-8624"),
    }
)
"""Every metric of the contract."""

PREPROCESSING: Mapping[str, str] = MappingProxyType(
    {
        "none": "the vectors as stored",
        "platonic_rep": f"elements clipped at the mean .95 quantile of their magnitudes and rows scaled to unit length ({_PLATONIC})",
        "centre": "columns centred",
        "standardize": "columns standardised",
        "unit": "rows scaled to unit length",
    }
)
"""Every preprocessing of the contract."""

RDM_COMPARISONS: Mapping[str, str] = MappingProxyType(
    {
        "spearman": "Spearman's rho",
        "pearson": "Pearson's r",
        "kendall_tau_a": "Kendall's tau a",
        "kendall_tau_b": "Kendall's tau b",
        "cosine": "the cosine",
    }
)
"""Every comparison of the contract."""

CONSENSUS: Mapping[str, Source] = MappingProxyType(
    {
        "mean_kernel": Source(
            "the mean of their centred kernels, each of Frobenius norm 1", "STATIS with equal weights, Lavit et al. 1994"
        ),
        "procrustes": Source(
            "the mean of their centred configurations of norm 1 after generalised Procrustes rotation",
            "Gower 1975, Psychometrika 40:33-51; ten Berge 1977, Psychometrika 42:267-276",
        ),
    }
)
"""Every method of the contract."""

NOISE_CEILING = "Nili et al. 2014, PLoS Computational Biology 10:e1003553"
DUAL_BOOTSTRAP = "Schutt et al. 2023, eLife 12:e82566"
RELIABILITY = "Spearman 1910, British Journal of Psychology 3:271-295; Brown 1910, British Journal of Psychology 3:296-322"
RANK_INTERVAL = "Bonett and Wright 2000, Psychometrika 65:23-28"
FISHER_INTERVAL = "Fisher 1921, Metron 1:3-32"
NESTED_GALLERIES = "Back into Plato's Cave, arXiv:2604.18572"
BETTING = "Waudby-Smith and Ramdas 2024, JRSSB 86:1-27"
RESIDUALS = "Theil's residuals (Theil 1965, JASA 60:1067-1079; Winkler et al. 2020, NeuroImage 220:117065)"
PERMUTATION_TEST = "Davison and Hinkley 1997, section 4.2.5"
CALIBRATION = "arXiv:2602.14486"
SEQUENTIAL_TEST = "Besag and Clifford 1991, Biometrika 78:301-304"
MAX_T = "Westfall and Young 1993, Resampling-Based Multiple Testing: single-step max-T of standardised scores"
FALSE_DISCOVERY_RATE = "Benjamini and Hochberg 1995, JRSSB 57:289-300"
INTERVALS: Mapping[str, str] = MappingProxyType(
    {
        "items": "delete-group jackknife over items, its variance one standard error of its own higher, "
        "Busing, Meijer and van der Leeden 1999, Statistics and Computing 9:3-8",
        "queries": "sampling of queries from a finite gallery, Cochran 1977, section 2.8",
    }
)
