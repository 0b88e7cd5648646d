"""The web of the virtual phone, one file per site: a state dataclass plus pages addressed by URL."""

from __future__ import annotations

from functools import cache

from tapwise.emulators.virtual.web.site import Site


@cache
def sites() -> dict[str, Site]:
    """Every site by host; sites are stateless, what they remember is in the browser's data."""
    from tapwise.emulators.virtual.web.brightbuy import BrightBuy
    from tapwise.emulators.virtual.web.freshcart import FreshCart
    from tapwise.emulators.virtual.web.homenest import HomeNest
    from tapwise.emulators.virtual.web.magazines import magazines
    from tapwise.emulators.virtual.web.results import SearchEngine
    from tapwise.emulators.virtual.web.summitgear import SummitGear

    found: list[Site] = [BrightBuy(), HomeNest(), *magazines(), SearchEngine(), SummitGear(), FreshCart()]
    return {site.host: site for site in found}
