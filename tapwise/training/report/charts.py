"""Charts as inline SVG. Colours come from the page's style sheet, so that one picture serves light and dark."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 640
LEFT, RIGHT, TOP, BOTTOM = 48, 16, 28, 40


@dataclass(frozen=True, slots=True)
class Bar:
    """A rate with its interval, all in [0, 1]."""

    label: str
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Series:
    """A curve: points (x, y) with x ascending; `style` is a class of the style sheet. `dots` marks each point."""

    name: str
    style: str
    points: Sequence[tuple[float, float]]
    dots: bool = False
    line: bool = True


def bar_chart(bars: Sequence[Bar], height: int = 300) -> str:
    """Rates as bars with whiskers for their intervals; the last bar is the accented one."""
    top, bottom = TOP, height - BOTTOM
    parts = [_y_axis([0.0, 0.25, 0.5, 0.75, 1.0], 1.0, top, bottom, percent)]
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(bars))
    for index, bar in enumerate(bars):
        middle = LEFT + slot * (index + 0.5)
        half = min(44.0, slot * 0.3)
        y, y_low, y_high = (bottom - value * (bottom - top) for value in (bar.rate, bar.low, bar.high))
        style = "bar last" if index == len(bars) - 1 else "bar"
        parts.append(
            f'<rect class="{style}" x="{middle - half:.1f}" y="{y:.1f}" width="{2 * half:.1f}"'
            f' height="{max(1.0, bottom - y):.1f}" rx="4"/>'
            f'<path class="whisker" d="M{middle:.1f} {y_low:.1f}V{y_high:.1f}'
            f'M{middle - 6:.1f} {y_low:.1f}h12M{middle - 6:.1f} {y_high:.1f}h12"/>'
            f'<text class="value" x="{middle:.1f}" y="{y_high - 9:.1f}" text-anchor="middle">'
            f"{percent(bar.rate, 1)}</text>"
            f'<text class="label" x="{middle:.1f}" y="{bottom + 24}" text-anchor="middle">'
            f"{html.escape(bar.label)}</text>"
        )
    return _svg(height, "Success by phase", parts)


def line_chart(series: Sequence[Series], x_label: str, title: str, *, rates: bool = False, height: int = 280) -> str:
    """Curves over a common x axis from 0; `rates` shows y as percent from 0 to 100."""
    points = [point for one in series for point in one.points if all(map(math.isfinite, point))]
    if not points:
        return ""
    x_ticks = _ticks(max(x for x, _ in points))
    y_ticks = [0.0, 0.25, 0.5, 0.75, 1.0] if rates else _ticks(max(y for _, y in points))
    top, bottom = TOP, height - BOTTOM
    x_scale = (WIDTH - LEFT - RIGHT) / (max(x for x, _ in points) or x_ticks[-1])
    y_scale = (bottom - top) / y_ticks[-1]
    parts = [_y_axis(y_ticks, y_ticks[-1], top, bottom, percent if rates else short)]
    for tick in x_ticks:
        x = LEFT + tick * x_scale
        if x <= WIDTH - RIGHT:
            parts.append(f'<text class="tick" x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{short(tick)}</text>')
    parts.append(
        f'<text class="tick" x="{WIDTH - RIGHT}" y="{bottom + 34}" text-anchor="end">{html.escape(x_label)}</text>'
    )
    for one in series:
        places = [
            (LEFT + x * x_scale, bottom - y * y_scale) for x, y in one.points if math.isfinite(x) and math.isfinite(y)
        ]
        parts.append(_curve(one, places))
    return _svg(height, title, parts)


def moving_mean(points: Sequence[tuple[float, float]], window: int = 5) -> list[tuple[float, float]]:
    """Each y replaced with the mean of itself and those up to half a window before and after it."""
    half = window // 2
    smooth = []
    for index, (x, _) in enumerate(points):
        near = [y for _, y in points[max(0, index - half) : index + half + 1]]
        smooth.append((x, sum(near) / len(near)))
    return smooth


def percent(value: float, digits: int = 0) -> str:
    """A fraction as percent with a narrow space."""
    return f"{100 * value:.{digits}f}\u202f%"


def short(value: float) -> str:
    """A number for an axis: 0.5, 20, 12k."""
    return f"{value / 1000:g}k" if value >= 10_000 else f"{value:g}"


def _curve(series: Series, places: Sequence[tuple[float, float]]) -> str:
    drawn = ""
    if series.line and len(places) > 1:
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        drawn = f'<path class="curve {series.style}" d="{path}"/>'
    if series.dots or (series.line and len(places) == 1):
        drawn += "".join(f'<circle class="dot {series.style}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in places)
    return f"<g><title>{html.escape(series.name)}</title>{drawn}</g>"


def _y_axis(ticks: Sequence[float], most: float, top: float, bottom: float, text: object) -> str:
    assert callable(text)
    lines = []
    for tick in ticks:
        y = bottom - tick / most * (bottom - top)
        style = "base" if tick == 0 else "grid"
        lines.append(
            f'<path class="{style}" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
            f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text(tick)}</text>'
        )
    return "".join(lines)


def _ticks(most: float) -> list[float]:
    """Round numbers from 0 to at least `most`, about five of them."""
    if most <= 0:
        return [0.0, 1.0]
    rough = most / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)
    return [round(step * n, 10) for n in range(math.ceil(most / step) + 1)]


def _svg(height: int, title: str, parts: Sequence[str]) -> str:
    name = html.escape(title)
    return f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{name}">{"".join(parts)}</svg>'
