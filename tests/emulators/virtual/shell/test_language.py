from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.emulators.virtual.shell.session import PhoneShell, wants_stdin

Sh = Callable[..., str]

CASES = {
    "echo a   b": "a b\n",
    "echo 'a   b' \"c  d\" e\\ f": "a   b c  d e f\n",
    "echo 'it'\\''s'": "it's\n",
    "x=1; echo $x ${x}2 \"$x\" '$x' \\$x": "1 12 1 $x $x\n",
    "x='a  b'; echo $x; echo \"$x\"": "a b\na  b\n",
    "x='*'; echo \"$x\"": "*\n",
    "echo ${none:-default} ${none-d} ${none:=set} $none ${none:+alt}": "default d set set alt\n",
    "f=/a/b/c.txt; echo ${f##*/} ${f#*/} ${f%.txt} ${f%%/b*} ${#f}": "c.txt a/b/c.txt /a/b/c /a 10\n",
    "x=banana; echo ${x/an/AN} ${x//an/AN} ${x:1:3}": "bANana bANANa ana\n",
    "echo $((2 + 3 * 4)) $(( (2+3)*4 )) $((7/2)) $((-7/2)) $((1<2&&2<1))": "14 20 3 -3 0\n",
    "i=5; echo $((i+1)) $(($i*2))": "6 10\n",
    "echo $(echo inner; echo two) `echo back`": "inner two back\n",
    'echo "$(printf "a\\nb")"': "a\nb\n",
    "true && echo yes || echo no; false && echo yes || echo no": "yes\nno\n",
    "! true; echo $?; ! false; echo $?": "1\n0\n",
    "if [ 1 -gt 2 ]; then echo a; elif [ x = x ]; then echo b; else echo c; fi": "b\n",
    "for i in 1 2 3; do echo $i; done": "1\n2\n3\n",
    "for i in $(seq 3); do [ $i = 2 ] && continue; echo $i; done": "1\n3\n",
    "i=0; while [ $i -lt 3 ]; do i=$((i+1)); [ $i -eq 2 ] && break; done; echo $i": "2\n",
    "i=0; until [ $i -ge 2 ]; do i=$((i+1)); done; echo $i": "2\n",
    "case photo.png in *.jpg|*.png) echo picture;; *) echo other;; esac": "picture\n",
    "f() { echo $1; return 4; }; f hi; echo $?": "hi\n4\n",
    "(cd /sdcard; pwd); pwd": "/sdcard\n/\n",
    "{ echo a; echo b; } | wc -l": "2\n",
    "echo err >&2 2>/dev/null; echo out": "out\n",
    "echo a > /sdcard/f; echo b >> /sdcard/f; cat < /sdcard/f": "a\nb\n",
    "ls /none > /sdcard/o 2>&1; cat /sdcard/o": "ls: /none: No such file or directory\n",
    "cat <<E\na $((1+1))\nE\necho after": "a 2\nafter\n",
    "cat <<'E' | tr a-z A-Z\n$x\nE": "$X\n",
    "printf 'a b\\nc d\\n' | while read x y; do echo $y-$x; done": "b-a\nd-c\n",
    "set -- a 'b c'; echo $#; for x in \"$@\"; do echo $x; done": "2\na\nb c\n",
    "A=1 env | grep ^A=; echo ${A:-gone}": "A=1\ngone\n",
    "eval 'x=3; echo $x'": "3\n",
    "sh -c 'echo $0 $1' zero one": "zero one\n",
    "echo a # comment": "a\n",
    "echo a; \\\necho b": "a\nb\n",
    "cd /sdcard; touch q1 q2; echo q? q[!1] z*; echo /sdcard/q*": "q1 q2 q2 z*\n/sdcard/q1 /sdcard/q2\n",
    "cd /sdcard && touch q && echo q* '*'": "q *\n",
    "input tap 1 1; echo X4EXIT:$?": "X4EXIT:0\n",
    "export ANDROID_LOG_TAGS=\"''\"; exec logcat '-d'": "--------- beginning of main\n",
}


@pytest.mark.parametrize("source", CASES, ids=range(len(CASES)))
def test_language(sh: Sh, source: str) -> None:
    assert sh(source) == CASES[source]


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("exit 7", 7),
        ("nothing_here", 127),
        ("false", 1),
        ("if then", 1),
        ("echo 'open", 1),
        ("echo $(", 1),
        ("[ 1 -eq x ]", 2),
        ("while true; do :; done", 137),
        ("f() { f; }; f", 137),
        ("( " * 500 + "echo" + " )" * 500, 1),
        ("(" * 500 + "1" + ")" * 500, 137),
        ("echo $((1/0))", 1),
        ("/sdcard", 126),
    ],
)
def test_status(sh: Sh, source: str, status: int) -> None:
    sh(source, status)


def test_a_script_file_runs(sh: Sh) -> None:
    sh("echo 'echo script $1' > /data/local/tmp/s.sh; chmod 755 /data/local/tmp/s.sh")
    assert sh("/data/local/tmp/s.sh one; sh /data/local/tmp/s.sh two") == "script one\nscript two\n"


def test_unknown_commands_are_named_as_on_android(shell: PhoneShell) -> None:
    result = shell.run("adbd_is_not_here")
    assert b"".join(result.stderr) == b"/system/bin/sh: adbd_is_not_here: inaccessible or not found\n"


def test_which_scripts_wait_for_standard_input() -> None:
    assert [wants_stdin(s) for s in ("cat", "cat > /sdcard/f", "sh", "read x; echo $x", "grep a")] == [True] * 5
    assert [wants_stdin(s) for s in ("cat f", "echo | cat", "cat < f", "ls", "grep a f", "head -n 1 f")] == [False] * 6


def test_the_same_script_gives_the_same_output() -> None:
    script = "date; ls -l /sdcard; getprop; tapwise-phone state-hash; sleep 5; date"
    first, second = (b"".join(PhoneShell(VirtualPhone(seed=3)).run(script).stdout) for _ in range(2))
    assert first == second


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ab $\"'`\\(){}|&;<>#*?[]!=\n~/-0", max_size=30))
def test_no_script_breaks_the_shell(source: str) -> None:
    shell = PhoneShell(VirtualPhone())
    assert 0 <= shell.run(source).status <= 255
    assert shell.run("echo alive").stdout == [b"alive\n"]


def test_let_sets_variables_and_its_status_says_whether_the_last_value_is_zero(sh: Callable[..., str]) -> None:
    assert sh("let x=3+4 y=x*2; echo $x $y $?; let 0; echo $?; let z=0 1; echo $?") == "7 14 0\n1\n0\n"


def test_cd_goes_back_to_where_it_was(sh: Callable[..., str]) -> None:
    assert sh("cd /system; cd /data/local/tmp; cd -; pwd; echo $OLDPWD") == "/system\n/system\n/data/local/tmp\n"


def test_cd_back_needs_a_place_to_go_back_to(sh: Callable[..., str]) -> None:
    assert sh("cd -", status=1) == ""


def test_all_parameters_have_a_default_and_an_alternative(sh: Callable[..., str]) -> None:
    script = 'for i in "${@:-none here}" "${@:+some}"; do echo "[$i]"; done'
    assert sh(f"set --; {script}") == "[none here]\n"
    assert sh(f"set -- a 'b c'; {script}") == "[a]\n[b c]\n[some]\n"
