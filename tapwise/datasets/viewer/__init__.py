"""Looking at stored trajectories: a page of all episodes, with their actions drawn on their screens."""

from tapwise.datasets.viewer.drawing import marks, words
from tapwise.datasets.viewer.labelling import make_label_server
from tapwise.datasets.viewer.page import write_page
from tapwise.datasets.viewer.server import make_server

__all__ = ["make_label_server", "make_server", "marks", "words", "write_page"]
