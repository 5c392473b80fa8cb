"""Functions of numbers: mathematics, bits, random ones."""
# ruff: noqa: E501 - a definition is a line, however long

TABLE = r"""
abs(N) N = abs($1)
acos(double) double = CASE WHEN abs($1) > 1 THEN 'NaN'::DOUBLE ELSE acos($1) END
asin(double) double = CASE WHEN abs($1) > 1 THEN 'NaN'::DOUBLE ELSE asin($1) END
atan(double) double = atan($1)
atan2(double, double) double = atan2($1, $2)
cbrt(double) double = trino_cbrt($1)
ceil(bigint) bigint = $1
ceil(integer) integer = $1
ceil(double) double = ceil($1)
ceil(real) real = CAST(ceil($1) AS FLOAT)
ceiling(bigint) bigint = $1
ceiling(integer) integer = $1
ceiling(double) double = ceil($1)
ceiling(real) real = CAST(ceil($1) AS FLOAT)
cos(double) double = cos($1)
cosh(double) double = cosh($1)
degrees(double) double = degrees($1)
e() double = CAST('2.718281828459045' AS DOUBLE)
exp(double) double = exp($1)
floor(bigint) bigint = $1
floor(integer) integer = $1
floor(double) double = floor($1)
floor(real) real = CAST(floor($1) AS FLOAT)
from_base(varchar, bigint) bigint = py_from_base($1, $2)
infinity() double = CAST('Infinity' AS DOUBLE)
inverse_normal_cdf(double, double, double) double = py_inverse_normal_cdf($1, $2, $3)
is_finite(double) boolean = isfinite($1)
is_infinite(double) boolean = isinf($1)
is_nan(double) boolean = isnan($1)
ln(double) double = CASE WHEN $1 > 0 THEN ln($1) WHEN $1 = 0 THEN '-Infinity'::DOUBLE WHEN $1 IS NULL THEN NULL ELSE 'NaN'::DOUBLE END
log(double, double) double = trino_log($1, $2)
log10(double) double = CASE WHEN $1 > 0 THEN log10($1) WHEN $1 = 0 THEN '-Infinity'::DOUBLE WHEN $1 IS NULL THEN NULL ELSE 'NaN'::DOUBLE END
log2(double) double = CASE WHEN $1 > 0 THEN log2($1) WHEN $1 = 0 THEN '-Infinity'::DOUBLE WHEN $1 IS NULL THEN NULL ELSE 'NaN'::DOUBLE END
mod(bigint, bigint) bigint = ($1 % trino_nonzero($2))
mod(integer, integer) integer = ($1 % trino_nonzero($2))
mod(double, double) double = ($1 % $2)
nan() double = CAST('NaN' AS DOUBLE)
normal_cdf(double, double, double) double = py_normal_cdf($1, $2, $3)
pi() double = pi()
pow(double, double) double = pow($1, $2)
power(double, double) double = pow($1, $2)
radians(double) double = radians($1)
rand() double = random()
rand(bigint) bigint = CAST(floor(random() * trino_positive($1)) AS BIGINT)
rand(bigint, bigint) bigint = $1 + CAST(floor(random() * trino_positive($2 - $1)) AS BIGINT)
random() double = random()
random(bigint) bigint = CAST(floor(random() * trino_positive($1)) AS BIGINT)
random(bigint, bigint) bigint = $1 + CAST(floor(random() * trino_positive($2 - $1)) AS BIGINT)
round(bigint) bigint = $1
round(integer) integer = $1
round(double) double = round($1)
round(real) real = CAST(round($1) AS FLOAT)
round(double, integer) double = round($1, CAST($2 AS INTEGER))
round(real, integer) real = CAST(round($1, CAST($2 AS INTEGER)) AS FLOAT)
round(bigint, integer) bigint = CAST(round($1, CAST($2 AS INTEGER)) AS BIGINT)
round(integer, integer) integer = CAST(round($1, CAST($2 AS INTEGER)) AS INTEGER)
sign(bigint) bigint = CAST(sign($1) AS BIGINT)
sign(integer) integer = CAST(sign($1) AS INTEGER)
sign(double) double = CAST(CASE WHEN isnan($1) THEN $1 ELSE sign($1) END AS DOUBLE)
sign(decimal) decimal(1,0) = CAST(sign($1) AS DECIMAL(1,0))
sin(double) double = sin($1)
sinh(double) double = sinh($1)
sqrt(double) double = CASE WHEN $1 < 0 THEN 'NaN'::DOUBLE ELSE sqrt($1) END
tan(double) double = tan($1)
tanh(double) double = tanh($1)
to_base(bigint, bigint) varchar = trino_to_base($1, $2)
truncate(double) double = trunc($1)
truncate(real) real = CAST(trunc($1) AS FLOAT)
truncate(double, integer) double = trino_truncate($1, $2)
width_bucket(double, double, double, bigint) bigint = CAST(trino_width_bucket($1, $2, $3, $4) AS BIGINT)
width_bucket(double, array(double)) bigint = trino_width_bins($1, $2)
wilson_interval_lower(bigint, bigint, double) double = py_wilson($1, $2, $3, -1)
wilson_interval_upper(bigint, bigint, double) double = py_wilson($1, $2, $3, 1)
# bits
bit_count(bigint, bigint) bigint = CAST(trino_bit_count($1, $2) AS BIGINT)
bitwise_and(bigint, bigint) bigint = ($1 & $2)
bitwise_left_shift(bigint, bigint) bigint = CAST(trino_shift_left($1, $2) AS BIGINT)
bitwise_not(bigint) bigint = (~$1)
bitwise_or(bigint, bigint) bigint = ($1 | $2)
bitwise_right_shift(bigint, bigint) bigint = CAST(trino_shift_right($1, $2) AS BIGINT)
bitwise_right_shift_arithmetic(bigint, bigint) bigint = CAST(trino_shift_right_signed($1, $2) AS BIGINT)
bitwise_xor(bigint, bigint) bigint = xor($1, $2)
# formats of numbers
format_number(double) varchar = py_format_number($1)
human_readable_seconds(double) varchar = py_human_seconds($1)
"""
