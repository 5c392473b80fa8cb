"""Files whose lines are of a grok pattern."""

from __future__ import annotations

from collections.abc import Sequence

from cloche.engines.sql.formats.grok import Grok
from cloche.engines.sql.inference.inferred import TEXT_INPUT, TEXT_OUTPUT, Inferred, as_columns
from cloche.engines.sql.inference.text_samples import TextSample

GROK_SERDE = "com.amazonaws.glue.serde.GrokSerDe"

_LEAST_MATCHING_SHARE = 0.7
_MOST_LINES = 1000


def _most_match(grok: Grok, lines: Sequence[str]) -> bool:
    failing, most_failing = 0, (1 - _LEAST_MATCHING_SHARE) * len(lines)
    for line in lines:
        try:
            failing += grok.match(line) is None
        except TimeoutError:
            return False
        if failing > most_failing:
            return False
    return True


def infer_grok(sample: TextSample, grok: Grok, classification: str) -> Inferred | None:
    """Format and columns of a file whose lines are of a pattern; None if most are not."""
    lines = sample.complete_lines()
    tried = lines[:_MOST_LINES]
    if not tried or not _most_match(grok, tried):
        return None
    custom = {"input.grokCustomPatterns": grok.custom_patterns} if grok.custom_patterns else {}
    shown = {"grokCustomPatterns": grok.custom_patterns} if grok.custom_patterns else {}
    return Inferred(
        classification=classification,
        columns=as_columns(grok.fields),
        compression=sample.compression,
        input_format=TEXT_INPUT,
        output_format=TEXT_OUTPUT,
        serde=GROK_SERDE,
        serde_parameters={"input.format": grok.text, **custom},
        parameters={"grokPattern": grok.text, **shown},
        record_count=sample.estimate(len(lines)),
    )
