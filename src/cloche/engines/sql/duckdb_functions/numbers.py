"""Functions of numbers: Java's text forms, bases, distributions, combinations, histograms."""

from __future__ import annotations

import itertools
import math
import statistics
import struct
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from cloche.engines.sql.duckdb_functions.failures import invalid


def double_text(number: float) -> str:
    """A double as Java writes it: `1.0E10`, `0.001`, `1.0E-4`."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return _java(repr(float(number)), number)


def double_cast(number: float) -> str:
    """A double as CAST to varchar writes it, which always has an exponent: `1.0E0`, `0E0`."""
    return double_text(number) if not math.isfinite(number) else _scientific(repr(float(number)))


def real_cast(number: float) -> str:
    """A real as CAST to varchar writes it."""
    return double_text(number) if not math.isfinite(number) else _scientific(_shortest(number))


def _shortest(number: float) -> str:
    texts = (f"{number:.{digits}g}" for digits in range(6, 10))
    bits = struct.pack("f", number)
    return next((t for t in texts if struct.pack("f", float(t)) == bits), repr(number))


def _scientific(text: str) -> str:
    sign, digits, exponent = Decimal(text).normalize().as_tuple()
    assert isinstance(exponent, int)  # noqa: S101
    made = "".join(map(str, digits))
    minus = "-" if sign else ""
    if made == "0":
        return f"{minus}0E0"
    return f"{minus}{made[0]}.{made[1:] or '0'}E{exponent + len(made) - 1}"


def real_text(number: float) -> str:
    """A real as Java writes it."""
    if math.isnan(number) or math.isinf(number):
        return double_text(number)
    return _java(repr(float(_shortest(number))), number)


def _java(text: str, number: float) -> str:
    size = abs(number)
    if size == 0 or 1e-3 <= size < 1e7:
        return text
    if len(text.partition("e")[0]) == 1 and float(nearer := f"{number:.1e}") == number:
        text = nearer  # Java writes two digits at least, the nearest ones.
    mantissa, _, exponent = text.partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    if fraction == "0":
        fraction = ""
    power = int(exponent or 0)
    digits = whole + fraction
    power += len(whole) - 1
    stripped = digits.lstrip("0")
    power -= len(digits) - len(stripped)
    digits = stripped.rstrip("0") or "0"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{power}"


def _from_base(text: str, radix: int) -> int:
    if not 2 <= radix <= 36:
        raise invalid("Radix must be between 2 and 36")
    try:
        return int(text, radix)
    except ValueError:
        raise invalid(f"Not a valid base-{radix} number: {text}") from None


def _combinations(length: int, size: int) -> list[list[int]]:
    if not 0 <= size <= 5:
        raise invalid(
            "combination size must not exceed 5"
            if size > 5
            else "combination size must not be negative: " + str(size)
        )
    if math.comb(length, size) > 100_000:
        raise invalid("combinations exceed max size")
    # In the order of their last element, as Trino gives them.
    found = itertools.combinations(range(1, length + 1), size)
    return [list(c) for c in sorted(found, key=lambda c: c[::-1])]


def _inverse_normal(mean: float, deviation: float, p: float) -> float:
    if not 0 < p < 1:
        raise invalid("p must be 0 > p > 1")
    if deviation <= 0:
        raise invalid("standardDeviation must be > 0")
    return statistics.NormalDist(mean, deviation).inv_cdf(p)


def _normal(mean: float, deviation: float, value: float) -> float:
    if deviation <= 0:
        raise invalid("standardDeviation must be > 0")
    return statistics.NormalDist(mean, deviation).cdf(value)


def _wilson(successes: int, trials: int, z: float, sign: int) -> float:
    if successes < 0 or trials <= 0 or successes > trials or z < 0:
        raise invalid("number of successes must not be larger than number of trials")
    p = successes / trials
    center = p + z * z / (2 * trials)
    spread = z * math.sqrt(p * (1 - p) / trials + z * z / (4 * trials * trials))
    return (center + sign * spread) / (1 + z * z / trials)


def _histogram(buckets: int, values: Sequence[float]) -> list[float]:
    """Centres and weights, one after the other: the nearest two are merged until few are left."""
    if buckets < 2:
        raise invalid("numeric_histogram bucket count must be greater than one")
    bins: list[list[float]] = []
    for value in sorted(v for v in values if v is not None):
        if bins and bins[-1][0] == value:
            bins[-1][1] += 1
        else:
            bins.append([value, 1.0])
    while len(bins) > buckets:
        at = min(range(len(bins) - 1), key=lambda i: bins[i + 1][0] - bins[i][0])
        (a, m), (b, n) = bins[at], bins[at + 1]
        bins[at : at + 2] = [[(a * m + b * n) / (m + n), m + n]]
    return [part for one in bins for part in one]


def _wide_quotient(dividend: str, divisor: str, scale: int) -> str:
    """The quotient of two decimals, rounded half up, whose digits on the way are more than 38."""
    exact = Fraction(dividend) / Fraction(divisor) * 10**scale
    units = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    if units >= 10**38:
        raise invalid("Decimal overflow", "NUMERIC_VALUE_OUT_OF_RANGE")
    digits = str(units).rjust(scale + 1, "0")
    point = len(digits) - scale
    return f"{'-' if exact < 0 else ''}{digits[:point]}.{digits[point:]}"


FUNCTIONS = {
    "py_double_java": (double_text, ["DOUBLE"], "VARCHAR"),
    "py_real_java": (real_text, ["FLOAT"], "VARCHAR"),
    "py_double_text": (double_cast, ["DOUBLE"], "VARCHAR"),
    "py_real_text": (real_cast, ["FLOAT"], "VARCHAR"),
    "py_from_base": (_from_base, ["VARCHAR", "BIGINT"], "BIGINT"),
    "py_combinations": (_combinations, ["BIGINT", "BIGINT"], "BIGINT[][]"),
    "py_inverse_normal_cdf": (_inverse_normal, ["DOUBLE", "DOUBLE", "DOUBLE"], "DOUBLE"),
    "py_normal_cdf": (_normal, ["DOUBLE", "DOUBLE", "DOUBLE"], "DOUBLE"),
    "py_wilson": (_wilson, ["BIGINT", "BIGINT", "DOUBLE", "BIGINT"], "DOUBLE"),
    "py_wide_quotient": (_wide_quotient, ["VARCHAR", "VARCHAR", "BIGINT"], "VARCHAR"),
    "py_numeric_histogram": (_histogram, ["BIGINT", "DOUBLE[]"], "DOUBLE[]"),
}
