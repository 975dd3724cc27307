"""Results as text and as one plot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TRAINING = "samples_per_second"


def number(value: float) -> str:
    """Three significant digits, with thousands separators."""
    if value >= 100:
        digits = len(str(int(value))) - 3
        return f"{round(value / 10**digits) * 10**digits:,}"
    return f"{value:.3g}"


def cell(value: Any) -> str:
    """A median with the range of the rounds, or a plain value."""
    if isinstance(value, dict):
        return f"{number(value['median'])} ({number(value['low'])}–{number(value['high'])})"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if isinstance(value, (int, float)) else str(value)


def lines(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table with aligned columns."""
    table = [header, *rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(header))]

    def line(row: list[str]) -> str:
        return "| " + " | ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:]))]) + " |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([line(header), rule, *map(line, rows)])


def training_table(section: dict[str, Any]) -> str:
    """A row for each size, a column for each contestant."""
    names = list(dict.fromkeys(name for results in section.values() for name in results))

    def speed(result: dict[str, Any] | None) -> str:
        if result is None:
            return "–"  # left out
        return cell(result[TRAINING]) if TRAINING in result else "refused"

    rows = [[key, *(speed(results.get(name)) for name in names)] for key, results in section.items()]
    return lines(["samples per second", *names], rows)


def answers_table(section: dict[str, Any]) -> str:
    """A table for each measurement, a row for each contestant."""
    tables = []
    for key, results in section.items():
        columns = [name for name in next(iter(results.values())) if name.endswith(("_per_second", "_us"))]
        rows = [
            [name, *(cell(result[column]) if column in result else "refused" for column in columns)]
            for name, result in results.items()
        ]
        tables.append(lines([key, *(column.replace("_", " ") for column in columns)], rows))
    return "\n\n".join(tables)


def plain_table(section: dict[str, Any]) -> str:
    """A row for each key, a column for each number."""
    columns = [name for name in next(iter(section.values())) if name != "variant"]
    rows = [[key, *(cell(result[name]) for name in columns)] for key, result in section.items()]
    return lines(["", *(column.replace("_", " ") for column in columns)], rows)


TABLES = {
    "training": training_table, "answers": answers_table, "networks": training_table, "busy": training_table,
    "answers_attention": answers_table,
}  # fmt: skip


def refusals(section: dict[str, Any]) -> list[str]:
    """The contestants that were refused or failed, with reasons."""
    return [
        f"{key}, {name}: {result['refused']}"
        for key, results in section.items()
        for name, result in results.items()
        if isinstance(result, dict) and "refused" in result
    ]


def text(values: dict[str, Any], sections: list[str]) -> str:
    """The tables of the sections that have results."""
    parts = []
    for name in sections:
        if values.get(name):
            parts += [f"## {name}", TABLES.get(name, plain_table)(values[name]), *refusals(values[name])]
    return "\n\n".join(parts)


def plot(values: dict[str, Any], path: Path) -> None:
    """Training throughput: a panel for each hidden size, a group of bars for each batch size, and ranges."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    section = values["training"]
    sizes = [(key, *(int(part.split()[1]) for part in key.split(", "))) for key in section]
    hidden_sizes = sorted({hidden for _, hidden, _ in sizes})
    names = list(dict.fromkeys(name for results in section.values() for name in results))
    figure, axes = pyplot.subplots(
        1, len(hidden_sizes), figsize=(4.2 * len(hidden_sizes) + 1, 4), squeeze=False, layout="constrained"
    )
    for axis, hidden in zip(axes[0], hidden_sizes):
        keys = {batch: key for key, h, batch in sizes if h == hidden}
        width = 0.8 / len(names)
        for i, name in enumerate(names):
            bars = [section[key].get(name, {}).get(TRAINING) for key in keys.values()]
            drawn = [(place + (i + 0.5) * width - 0.4, bar) for place, bar in enumerate(bars) if bar]
            axis.bar(
                [x for x, _ in drawn],
                [bar["median"] for _, bar in drawn],
                width,
                yerr=[
                    [bar["median"] - bar["low"] for _, bar in drawn],
                    [bar["high"] - bar["median"] for _, bar in drawn],
                ],
                color=f"C{i}",
                label=name,
                error_kw={"elinewidth": 0.8},
            )
        axis.set_title(f"hidden {hidden}")
        axis.set_xticks(range(len(keys)), [f"batch {batch}" for batch in keys])
        axis.spines[["top", "right"]].set_visible(False)
    axes[0][0].set_ylabel("training samples per second")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=len(names), frameon=False)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
