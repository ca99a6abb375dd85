"""A trained network as a C header: C99 and the standard library alone, no memory is allocated."""

import json
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from fastmlp.export.portable import Layer, PortableNetwork

# In C; F stands for the suffix of functions and constants for float.
_FUNCTIONS = {
    "relu": "x > 0 ? x : 0",
    "tanh": "tanhF(x)",
    "sigmoid": "x >= 0 ? 1 / (1 + expF(-x)) : expF(x) / (1 + expF(x))",
    "identity": "",
    "leaky_relu": "x > 0 ? x : 0.01F * x",
    "elu": "x > 0 ? x : expm1F(x)",
    "softplus": "(x > 0 ? x : 0) + log1pF(expF(-fabsF(x)))",
    "exp": "expF(x)",
}
_TYPES = {"float32": "float", "float64": "double"}
_LINE = 12  # numbers of a line

_TEMPLATE = """\
/* A network that fastmlp {version} wrote: C99, the standard library alone; link with -lm.
 *
 *     int {name}_predict({parameters});
 *
 * numbers: {number_lines}
{text_lines} * outputs: {outputs_text}
 * Returns {returned},
 * or -1 if a value cannot be used{refused}. */
#ifndef {guard}
#define {guard}

#include <math.h>
#include <stddef.h>
{include}
#define {upper}_NUMBERS {numbers}
#define {upper}_TEXTS {texts}
#define {upper}_OUTPUTS {outputs}
{class_function}
static inline int {name}_predict({parameters})
{{
{tables}    {T} a[{widest}], b[{widest}];
    size_t i, j;
{encode}{layers}{decide}}}

#endif
"""


def to_c(network: PortableNetwork, name: str = "model") -> bytes:
    """Return a C header.

    Parameters
    ----------
    network : PortableNetwork
        What is exported.
    name : str
        Prefix of all names in the header; what C does not allow in one becomes an underscore.

    Returns
    -------
    bytes
        Text in ASCII.

    Raises
    ------
    InputError
        If the network has an activation that is not known here, or its text needs more memory than is free.
    """
    network.check_activations(_FUNCTIONS, "c")
    network.check_memory(140)  # texts of Python, and what they are joined to: 111 in float32, 141 in float64
    name = _identifier(name)
    T, N = _TYPES[network.dtype], _TYPES[network.input_dtype]
    numbers, texts = network.numbers, network.texts
    parameters = [f"const {N} *numbers"] * bool(numbers) + ["const char *const *texts"] * bool(texts)
    widths = [len(network.layers[0].weights), *(len(layer.biases) for layer in network.layers)]
    lacking = network.missing == "median"
    layers = "".join(_layer(layer, number, T) for number, layer in enumerate(network.layers))
    text = _TEMPLATE.format(
        version=network.version,
        name=name,
        upper=name.upper(),
        guard=f"{name.upper()}_H",
        parameters=", ".join([*parameters, f"{T} *outputs"]),
        number_lines=_listed([column.name for column in numbers], "nan where one is missing" if lacking else ""),
        text_lines=f" * texts: {_listed([c.name for c in texts], 'NULL where one is missing')}\n" if texts else "",
        outputs_text=_outputs_text(network),
        returned=_returned(network, name),
        refused=": one that is not finite" + (", or a text that the training did not have" if texts else ""),
        include="#include <string.h>\n" if texts else "",
        numbers=len(numbers),
        texts=len(texts),
        outputs=network.outputs,
        class_function=_class_function(network, name),
        tables=_scale_tables(network, N),
        T=T,
        widest=max(widths),
        encode=_encode(network, T, N),
        layers=layers,
        decide=_decide(network, len(network.layers), T),
    )
    return text.encode("ascii")


def _identifier(name: str) -> str:
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)
    return plain if plain[:1].isalpha() else f"model_{plain}"


def _comment(text: str) -> str:
    """JSON that ends no comment and begins none."""
    return json.dumps(text).replace("*", "\\u002a")


def _listed(names: Sequence[str | None], missing: str) -> str:
    known = [_comment(name) for name in names if name is not None]
    lines = [f"{len(names)}, in this order"] + [missing] * bool(missing)
    return "; ".join(lines) + "".join(f"\n *   {number} {name}" for number, name in enumerate(known))


def _outputs_text(network: PortableNetwork) -> str:
    if network.is_regression:
        return f"{network.outputs} numbers"
    return f"{network.outputs} probabilities" + ("" if network.classes is None else ", of the classes in their order")


def _returned(network: PortableNetwork, name: str) -> str:
    if network.classes is not None:
        return f"the number of the most probable class, from 0, whose label is {name}_class(number)"
    if network.output == "sigmoid" and network.outputs == 1:
        return "1 if the probability is above 0.5, else 0"
    return "0"


def _class_function(network: PortableNetwork, name: str) -> str:
    """A function from the number of a class to its label."""
    if network.classes is None:
        return ""
    whole = all(type(label) is int for label in network.classes)
    T = "long long" if whole else "const char *"
    labels = [_whole(label) if whole else _string(str(label)) for label in network.classes]
    body = f"    static {'const ' if whole else ''}{T}{' ' if whole else 'const '}labels[] = {_braces(labels)};\n"
    return (
        f"\n/* The label of a class. */\nstatic inline {T}{' ' if whole else ''}{name}_class(int number)\n"
        f"{{\n{body}    return labels[number];\n}}\n"
    )


def _whole(value: int) -> str:
    return f"({value + 1}LL - 1)" if value == -(2**63) else f"{value}LL"


def _string(text: str) -> str:
    """A string of C in ASCII; question marks are escaped because three of them with another sign are that sign."""
    plain = set(map(chr, range(32, 127))) - set('"\\?')
    return (
        '"' + "".join(chr(b) if chr(b) in plain else f"\\{b:03o}" for b in text.encode("utf-8", "surrogatepass")) + '"'
    )


def _braces(items: Sequence[str]) -> str:
    lines = [", ".join(items[at : at + _LINE]) for at in range(0, len(items), _LINE)]
    return "{\n        " + ",\n        ".join(lines) + "\n    }"


def _numbers(values: Iterable[Any], T: str) -> list[str]:
    """Return numbers as C literals, with the fewest digits that round-trip."""
    suffix = "f" if T == "float" else ""
    texts = (str(value) for value in values)
    return [text + ("" if set(text) & set(".en") else ".0") + suffix for text in texts]


def _table(name: str, values: Any, T: str) -> str:
    return f"    static const {T} {name}[] = {_braces(_numbers(values.ravel(), T))};\n"


def _scale_tables(network: PortableNetwork, N: str) -> str:
    tables = ""
    if network.is_scaled:
        tables += _table("offset", network.offset.astype(network.input_dtype), N)
        tables += _table("scale", network.scale.astype(network.input_dtype), N)
    if network.missing == "median" and network.numbers:
        fills = network.offset.astype(network.input_dtype)
        fills[:] = [column.fill for column in network.numbers]
        tables += _table("fill", fills, N)
    for number, column in enumerate(network.texts):
        known = [_string(text) for text in column.categories or ()]
        tables += f"    static const char *const text{number}[] = {_braces(known)};\n" if known else ""
    return tables


def _encode(network: PortableNetwork, T: str, N: str) -> str:
    """Statements that write features to a."""
    columns, lines = network.numbers, []
    if columns:
        x = "(x - offset[i]) / scale[i]" if network.is_scaled else "x"
        value = f"a[i] = {x if N == T else f'({T})({x})'};"
        filled = " isnan(numbers[i]) ? fill[i] :" if network.missing == "median" else ""
        lines += [
            f"    for (i = 0; i < {len(columns)}; i++) {{",
            f"        const {N} x ={filled} numbers[i];",
            "        if (!isfinite(x))",
            "            return -1;",
            f"        {value}",
            "    }",
        ]
    at = len(columns)
    for number, column in enumerate(columns):
        if column.indicator:
            lines.append(f"    a[{at}] = ({T})(isnan(numbers[{number}]) ? 1 : 0);")
            at += 1
    for number, column in enumerate(network.texts):
        if column.indicator:
            lines.append(f"    a[{at}] = ({T})(texts[{number}] == NULL ? 1 : 0);")
            at += 1
    for number, column in enumerate(network.texts):
        known = len(column.categories or ())
        if network.missing == "refuse":
            lines += [f"    if (texts[{number}] == NULL)", "        return -1;"]
        if known:
            lines += [
                f"    for (i = 0, j = 0; i < {known}; i++) {{",
                f"        const int is_it = texts[{number}] != NULL && strcmp(texts[{number}], text{number}[i]) == 0;",
                f"        a[{at} + i] = ({T})is_it;",
                "        j += (size_t)is_it;",
                "    }",
                f"    if (texts[{number}] != NULL && j == 0)",
                "        return -1;",
            ]
        at += known
    return "".join(f"{line}\n" for line in lines)


def _layer(layer: Layer, number: int, T: str) -> str:
    """A block that reads one of a and b and writes the other."""
    fan_in, fan_out = layer.weights.shape
    source, target = "ab" if number % 2 == 0 else "ba"
    function = _FUNCTIONS.get(layer.activation, "").replace("F", "f" if T == "float" else "")
    lines = [
        f"        for (j = 0; j < {fan_out}; j++)",
        f"            {target}[j] = bias[j];",
        f"        for (i = 0; i < {fan_in}; i++)",
        f"            for (j = 0; j < {fan_out}; j++)",
        f"                {target}[j] += {source}[i] * weight[i * {fan_out} + j];",
    ]
    if function:
        lines += [
            f"        for (j = 0; j < {fan_out}; j++) {{",
            f"            const {T} x = {target}[j];",
            f"            {target}[j] = {function};",
            "        }",
        ]
    tables = _table("weight", layer.weights, T) + _table("bias", layer.biases, T)
    return "    {\n" + textwrap.indent(tables, "    ") + "\n".join(lines) + "\n    }\n"


def _decide(network: PortableNetwork, layers: int, T: str) -> str:
    """Statements that write the outputs and return."""
    z, C = "ab"[layers % 2], network.outputs
    if network.output != "softmax":
        last = f"{z}[0] > {'0.5f' if T == 'float' else '0.5'} ? 1 : 0"
        decided = last if network.output == "sigmoid" and C == 1 else "0"
        return f"    for (j = 0; j < {C}; j++)\n        outputs[j] = {z}[j];\n    return {decided};\n"
    exp = "expf" if T == "float" else "exp"
    return f"""    {{
        {T} total = 0;
        size_t best = 0;
        for (j = 1; j < {C}; j++)
            if ({z}[j] > {z}[best])
                best = j;
        for (j = 0; j < {C}; j++)
            total += outputs[j] = {exp}({z}[j] - {z}[best]);
        for (j = 0; j < {C}; j++)
            outputs[j] /= total;
        return (int)best;
    }}
"""
