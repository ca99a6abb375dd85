"""A C header compiles without a warning and computes what the network computes."""

import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from exported_networks import CASES, NUMBERS, THIRDS, network, outputs, rows_of

from fastmlp.errors import InputError
from fastmlp.export.c_header import to_c
from fastmlp.export.portable import PortableNetwork
from fastmlp.inputs.table import Table

COMPILER = shutil.which("cc")
pytestmark = pytest.mark.skipif(COMPILER is None, reason="needs a C compiler")
FLAGS = ["-Wall", "-Wextra", "-Werror", "-std=c99", "-pedantic", "-Wconversion"]

# Reads rows of numbers and then texts, a line each ("-" for none), and prints what is returned and the outputs.
PROGRAM = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "net_1.h"
int main(void) {
    static char lines[NET_1_NUMBERS + NET_1_TEXTS][200];
    for (;;) {
        NUMBER numbers[NET_1_NUMBERS + 1]; const char *texts[NET_1_TEXTS + 1]; OUTPUT outputs[NET_1_OUTPUTS];
        int i, k;
        for (i = 0; i < NET_1_NUMBERS + NET_1_TEXTS; i++) {
            if (!fgets(lines[i], sizeof lines[i], stdin)) return 0;
            lines[i][strcspn(lines[i], "\\n")] = 0;
            if (i < NET_1_NUMBERS) numbers[i] = (NUMBER)strtod(lines[i], NULL);
            else texts[i - NET_1_NUMBERS] = strcmp(lines[i], "-") ? lines[i] : NULL;
        }
        (void)numbers; (void)texts;
        k = net_1_predict(ARGUMENTS, outputs);
        printf("%d", k);
        for (i = 0; k >= 0 && i < NET_1_OUTPUTS; i++) printf(" %.9g", (double)outputs[i]);
        LABEL
        printf("\\n");
    }
}
"""


def answers(mlp, rows, X, folder):
    """(returned, outputs, label) of each row, from a compiled program."""
    header = mlp.export(folder / "net 1.h").read_text(encoding="ascii")
    (folder / "net_1.h").write_text(header, encoding="ascii")
    texts = [column.dtype == object for column in X.columns] if isinstance(X, Table) else [False] * X.shape[1]
    arguments = ["numbers"] * (not all(texts)) + ["texts"] * any(texts)
    whole = '%lld", net_1_class(k)' in header or "long long net_1_class" in header
    label = f'if (k >= 0) printf("|{"%lld" if whole else "%s"}", net_1_class(k));' if "net_1_class(" in header else ""
    program = PROGRAM.replace("ARGUMENTS", ", ".join(arguments)).replace("LABEL", label)
    number = "double" if "const double *numbers" in header else "float"
    program = program.replace("NUMBER n", f"{number} n").replace("(NUMBER)", f"({number})")
    program = program.replace("OUTPUT o", f"{'double' if mlp.dtype == 'float64' else 'float'} o")
    (folder / "main.c").write_text(program, encoding="ascii")
    subprocess.run([COMPILER, *FLAGS, "main.c", "-o", "main", "-lm"], cwd=folder, check=True)
    lines = []
    for row in rows:
        numbers = [repr(float(v)) for v, is_text in zip(row, texts, strict=True) if not is_text]
        lines += [*numbers, *("-" if v is None else v for v, is_text in zip(row, texts, strict=True) if is_text)]
    done = subprocess.run([folder / "main"], input="\n".join([*lines, ""]).encode(), capture_output=True, check=True)
    found = []
    for line in done.stdout.decode().splitlines():
        values, _, label = line.partition("|")
        returned, *numbers = values.split()
        found.append((int(returned), list(map(float, numbers)), label))
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_compiled_header_gives_the_same_outputs_and_classes(name, case, tmp_path):
    mlp, X = case(name)
    found = answers(mlp, rows_of(X), X, tmp_path)
    np.testing.assert_allclose([one[1] for one in found], outputs(mlp, X), rtol=0, atol=1e-5)
    predicted = mlp.predict(X)
    if mlp.loss == "cross_entropy":
        assert [one[2] for one in found] == list(map(str, predicted.tolist()))
        assert [mlp.classes[one[0]] for one in found] == predicted.tolist()
    elif mlp.loss == "binary_cross_entropy" and predicted.ndim == 1:
        assert [one[0] for one in found] == predicted.tolist()


def test_a_value_that_the_network_refuses_returns_minus_one(case, tmp_path):
    mlp, X = case("a table")
    rows = rows_of(X)[:4]
    rows[1][0], rows[2][1], rows[3][3] = np.nan, "magenta", None
    assert [one[0] < 0 for one in answers(mlp, rows, X, tmp_path)] == [False, True, True, True]


def test_a_missing_value_is_taken_where_the_training_took_it(case, tmp_path):
    mlp, X = case("a table with gaps")
    rows = rows_of(X)[:3]
    rows[1][0], rows[1][1], rows[2][2] = np.nan, None, np.inf
    assert [one[0] < 0 for one in answers(mlp, rows, X, tmp_path)] == [False, False, True]


def test_labels_at_the_ends_of_int64_compile(tmp_path):
    ends = np.array([-(2**63), 2**63 - 1])
    X = np.tanh(NUMBERS)
    mlp = network(X, ends[THIRDS % 2])
    assert {one[2] for one in answers(mlp, X.tolist(), X, tmp_path)} <= set(map(str, ends.tolist()))


def test_two_headers_go_into_one_program(case, tmp_path):
    for name, file in (("pixels", "one.h"), ("a table", "2nd-net.h")):
        case(name)[0].export(tmp_path / file)
    code = '#include "one.h"\n#include "2nd-net.h"\nint main(void) { return ONE_OUTPUTS - MODEL_2ND_NET_OUTPUTS; }\n'
    (tmp_path / "main.c").write_text(code)
    subprocess.run([COMPILER, *FLAGS, "main.c", "-o", "main", "-lm"], cwd=tmp_path, check=True)
    assert subprocess.run([tmp_path / "main"], check=False).returncode == 0


def test_an_activation_that_c_has_not_is_refused_in_one_line(case):
    portable = PortableNetwork.of(case("pixels")[0]._record())
    first, *others = portable.layers
    strange = replace(portable, layers=(replace(first, activation="wave"), *others))
    with pytest.raises(InputError, match=r"^activation 'wave' cannot be exported to c; expected one of relu, tanh, "):
        to_c(strange)
