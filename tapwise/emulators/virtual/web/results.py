"""The search engine: whatever is typed into the address field and is no address."""

from __future__ import annotations

from tapwise.emulators.virtual.ui.page import Page
from tapwise.emulators.virtual.ui.views import ListItem, View
from tapwise.emulators.virtual.web.site import Site, Url, Visit, banner, caption

HOST = "search.com"
RESULTS = 6


def results_url(words: str) -> Url:
    """The page with the results for some words."""
    return Url(HOST, ("results",), (("q", words.strip().lower()),))


class SearchEngine(Site):
    """Plain result pages: sites that the words may lead to."""

    name = "Search"
    host = HOST
    icon = "search"
    colour = (84, 88, 96)

    def has_accounts(self, url: Url) -> bool:
        return False

    def page(self, visit: Visit) -> Page:
        from tapwise.emulators.virtual.web import sites

        words = visit.url.value("q")
        found = [site for site in sites().values() if site.host != HOST]
        named = [site for site in found if site.name.lower() in words]
        others = visit.ui.order([site for site in found if site.pinned and site not in named], f"results/{words}")
        rows: list[View] = [
            ListItem(
                title=site.name,
                subtitle=f"{words} at {site.host}",
                icon=site.icon,
                plate=site.colour,
                on_tap=lambda site=site: visit.navigate(Url(site.host)),  # type: ignore[misc]
            )
            for site in [*named, *others][:RESULTS]
        ]
        return Page(title="Results", body=[banner("Results", self.colour), caption(words), *rows])
