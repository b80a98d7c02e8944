import sys

import pytest

from defocus_core.evaluation.external_programs import ExternalProgram


def test_a_program_that_fails_says_why(shots):
    command = ExternalProgram(f"{sys.executable} -c 'raise SystemExit(\"broken\")' {{shots}} {{fused}}")
    with pytest.raises(RuntimeError, match="broken"):
        command(shots)
    with pytest.raises(ValueError, match=r"names \{shots\} and \{fused\}"):
        ExternalProgram("program {shots}")
