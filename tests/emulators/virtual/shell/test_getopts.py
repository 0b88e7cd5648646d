from __future__ import annotations

from collections.abc import Callable

_SCRIPT = r"""f() { while getopts ab:c o; do echo "$o=${OPTARG-unset}@$OPTIND"; done; echo "end $o $OPTIND"; }
f -ab x -c y; OPTIND=1; f -abx -- -c; OPTIND=1
f -z -b 2>/dev/null; OPTIND=1
g() { while getopts :ab:c o; do echo "$o=${OPTARG-unset}@$OPTIND"; done; echo "end $o $OPTIND"; }
g -zb; OPTIND=1; g -a - -b
"""

_AS_IN_DASH = """\
a=@2
b=x@3
c=@4
end ? 4
a=@2
b=x@2
end ? 3
?=unset@2
?=unset@3
end ? 3
?=z@2
:=b@2
end ? 2
a=@2
end ? 2
"""


def test_getopts_reads_options_as_dash_does(sh: Callable[..., str]) -> None:
    assert sh(_SCRIPT) == _AS_IN_DASH
