"""Generated programs that a POSIX shell with toybox's commands runs the same way as a phone's. Seeded: always the same.

Each program runs in a folder of its own that holds `FILES`. What is left open by the standard, or differs between mksh
and dash, is not generated.
"""

from __future__ import annotations

import random
from collections.abc import Callable

WORDS = ("alpha", "beta", "gamma", "delta", "eta", "iota", "kappa", "mu", "pi", "rho")
PATHS = ("/a/b/c.txt", "photo.tar.gz", "no-extension", "x/y", "/", "dir/.hidden", "a.b.c")
FILES = {
    "words.txt": "".join(f"{word}\n" for word in (*WORDS, "beta", "Alpha", "beta")),
    "numbers.txt": "10\n9\n2\n33\n2\n-5\n100\n0\n",
    "table.csv": "name,age,town\nanna,31,oslo\nbob,7,rome\ncleo,31,lima\ndan,64,oslo\n",
    "spaces.txt": "  two  words \n\nthree more  words\n tab\there\n",
    "noend.txt": "first\nlast without end",
    "empty.txt": "",
    "sub/one.txt": "1\n",
    "sub/two.log": "2\n2\n",
    "sub/deep/three.txt": "3\n",
}


def arithmetic(rng: random.Random) -> str:
    def term(depth: int) -> str:
        if depth == 0 or rng.random() < 0.3:
            return rng.choice([str(rng.randrange(20)), "x", "y", f"-{rng.randrange(1, 9)}", f"({rng.randrange(9)})"])
        operator = rng.choice(["+", "-", "*", "<", ">", "<=", ">=", "==", "!=", "&&", "||", "&", "|", "^", "<<"])
        right = str(rng.randrange(5)) if operator == "<<" else term(depth - 1)
        return f"({term(depth - 1)} {operator} {right})"

    if rng.random() < 0.2:
        return f"x={rng.randrange(9)}; : $((x {rng.choice(['+=', '-=', '*='])} {rng.randrange(9)})); echo $x"
    if rng.random() < 0.2:
        return f"echo $(({rng.randrange(-50, 50)} {rng.choice('/%')} {rng.choice([-7, -3, 2, 5])}))"
    return f"x={rng.randrange(9)} y={rng.randrange(9)}; echo $(({term(3)})) $((!{term(1)})) $(({term(1)} ? 1 : 2))"


def parameters(rng: random.Random) -> str:
    path, word = rng.choice(PATHS), rng.choice(WORDS)
    pattern = rng.choice(["*/", "*.", "?", "[a-d]*", "*[!a-z]", "/*", ".*", "*a", "a*", "", "*", "\\*", "'?'"])
    cut = rng.choice(["#", "##", "%", "%%"])
    other = rng.choice([":-", "-", ":=", "=", ":+", "+"])
    return (
        f'p=\'{path}\' w={word} e=; echo "${{p{cut}{pattern}}}" "${{w{cut}{pattern}}}" ${{#p}} ${{#w}} ${{#e}};'
        f' echo "[${{e{other}{word}}}]" "[${{u{other}x y}}]" "[${{w{other}z}}]" [$e] [$u]'
    )


def splitting(rng: random.Random) -> str:
    text = "".join(rng.choice("ab :,\\t") if rng.random() < 0.7 else rng.choice(WORDS) for _ in range(9)).replace(
        "\\t", "\t"
    )
    separators = rng.choice(["", "IFS=:; ", "IFS=,; ", "IFS=' :'; ", "IFS=; "])
    return (
        f'v=\'{text}\'; {separators}set -- $v; echo $#; for i in "$@"; do echo "<$i>"; done;'
        f' echo "$*"; echo $v; echo "$v"; set -- "$@" "a b"; echo $# "${{1-none}}"; shift; echo $#'
    )


def quoting(rng: random.Random) -> str:
    pieces = ["'single $x \"'", '"double $x \'"', "plain", "\\$x", "$x", '"$x"', '"\\$x \\\\ \\""', "a\\ b", '""', "''"]
    chosen = " ".join(rng.sample(pieces, rng.randint(2, 5)))
    joined = "".join(rng.sample(pieces, 3))
    return f"x='{rng.choice(['v', 'v w', '*.txt', ''])}'; for i in {chosen} {joined}; do echo \"[$i]\"; done; echo {chosen}"


def control(rng: random.Random) -> str:
    n, m = rng.randrange(1, 6), rng.randrange(1, 6)
    forms = [
        f"i=0; while [ $i -lt {n} ]; do i=$((i+1)); [ $i -eq {m} ] && continue; echo $i; done; echo end $i",
        f"i=0; until [ $i -ge {n} ]; do i=$((i+1)); if [ $i = {m} ]; then break; fi; done; echo $i $?",
        f"for i in 1 2 3; do for j in a b c; do [ $i$j = {m}b ] && break {rng.choice([1, 2])}; echo $i$j; done; done",
        f"f() {{ [ $1 -le 0 ] && return {m}; echo $1; f $(($1 - 1)); }}; f {n}; echo $?",
        f"if [ {n} -gt {m} ]; then echo gt; elif [ {n} -eq {m} ]; then echo eq; else echo lt; fi",
        f"(exit {n}); echo $?; {{ false; }} || echo or; ! (exit {m}); echo $?",
        f"f() {{ local a={n}; a=$((a+1)); echo $a; }}; a={m}; f; echo $a",
        f"set -e; true; x=$(false || echo {n}); echo $x; if false; then :; fi; echo {m}; (false); echo never",
        f"x={n}; (x={m}; echo $x); echo $x; x={m} sh -c 'echo $x'; echo $x",
        f"trap 'echo bye' EXIT; echo {n}; exit {m}",
        f"echo {n} | {{ read a; echo $((a * {m})); }}; echo | cat; : | true && echo $?",
        'while read a b; do echo "$b|$a"; done < spaces.txt',
        f"eval 'y=$((1 + {n}))'; echo $y; command echo {m}; type nothing_at_all >/dev/null 2>&1; echo $(($? > 0))",
    ]
    return rng.choice(forms)


def cases(rng: random.Random) -> str:
    word = rng.choice([*WORDS, "a.txt", "12", "", "A", "[x]", "a b"])
    patterns = rng.sample(
        ["a*", "*a", "?", "??*", "[a-c]*", "[!a-c]*", "*.txt", "[0-9]*", "''", '"[x]"', "mu|pi", "a\\ b", "*[ae]?a"], 4
    )
    arms = " ".join(f"{pattern}) echo {number};;" for number, pattern in enumerate(patterns))
    return f"w='{word}'; case $w in {arms} *) echo other;; esac; case \"$w\" in ({patterns[0]}) echo y;; esac; echo $?"


def documents(rng: random.Random) -> str:
    quoted = rng.choice(["E", "'E'", '"E"', "\\E"])
    dash = rng.choice(["", "-"])
    return (
        f"x={rng.choice(WORDS)}\ncat <<{dash}{quoted} | {rng.choice(['cat', 'tr a-z A-Z', 'wc -l', 'sort'])}\n"
        f"one $x\n\ttabbed ${{x}}\n$((1+{rng.randrange(9)})) `echo sub` \\$x \\\\\nE\necho after"
    )


def text_tools(rng: random.Random) -> str:
    file = rng.choice(["words.txt", "numbers.txt", "table.csv", "spaces.txt", "noend.txt", "empty.txt"])
    n = rng.randrange(1, 6)
    tools = [
        f"sort {rng.choice(['', '-r', '-n', '-u', '-nr', '-nu'])} {file}",
        f"sort -t, -k{rng.choice(['1', '2,2n', '3,3', '2,2nr'])} table.csv",
        f"uniq {rng.choice(['', '-d', '-u'])} {file}",
        f"sort {file} | uniq {rng.choice(['', '-d', '-u'])}",
        f"head -n {n} {file}",
        f"tail -n {rng.choice(['', '+'])}{n} {file}",
        f"cut -d, -f{rng.choice(['1', '2,3', '1-2', '2-', '3'])} table.csv",
        f"cut -c{rng.choice(['1', '1-3', '2-', '-2', '1,3'])} words.txt",
        f"tr {rng.choice(['a-z A-Z', '-d aeiou', '-s l', ', :', '-d 0-9', 'abc x'])} < {file}",
        f"wc {rng.choice(['-l', '-w', '-c'])} < {file}",
        f"grep {rng.choice(['', '-v', '-c', '-i', '-n', '-x', '-q', '-w'])} {rng.choice(['a', 'beta', '^a', 'a$', 'x'])} {file}",
        f"grep -E {rng.choice([repr('a+|o'), repr('^[a-d]'), repr('(an|b)'), repr('[0-9]{2}')])} {file}",
        f"grep -o {rng.choice([repr('[aeiou]'), repr('[0-9]*'), 'ta'])} {file} | head -n 8",
        f"grep -F {rng.choice(['.', 'a', ','])} {file}; echo $?",
        f"grep -c {rng.choice(['a', 'zz'])} words.txt numbers.txt; echo $?",
        f"seq {rng.choice([str(n), f'{n} 8', f'{n} 2 9', '5 -1 1', '3 1'])}",
        f"printf '{rng.choice(['%s-', '%d,', '%5s|', '%-5s|', '%03d ', '%x ', '%%s', '%c'])}\\n' {n} 1{n}",
        f"printf '%s %s\\n' a b c; printf '\\t%b\\n' 'x\\ny'; printf '%.2f\\n' {n}.5",
        f"cat {file} | tee copy.txt | wc -l; cat copy.txt | tail -n 1",
        f"cat {file} {rng.choice(['words.txt', '-'])} < numbers.txt | head -n 14",
        f"xargs -n {n} echo < words.txt",
        f"echo {rng.choice(WORDS)} | md5sum; printf x | sha1sum; printf abc | sha256sum",
        f"printf {rng.choice(WORDS)} | base64; printf {rng.choice(WORDS)} | base64 | base64 -d",
        f"basename {rng.choice(PATHS)}; dirname {rng.choice(PATHS)}; basename a/b.txt .txt",
        "echo a b; echo -n x; echo; echo 'a  b'",
        f"rev {file}",
        f"tac {file}",
        f"nl -b a {file} | head -n 3",
        f"sed {rng.choice([repr('s/a/X/'), repr('s/a/X/g'), repr('2d'), '-n ' + repr('2,3p'), repr('/a$/d'), repr('s/^/> /')])} {file}",
        f"sed -e 's/[aeiou]/<&>/' -e '1d' {file}; sed -n '$p' {file}; sed 's#,#/#' table.csv",
        "sed -E 's/([a-z]+),([0-9]+)/\\2 \\1/' table.csv; sed '/bob/,$s/o/0/g' table.csv",
        f"paste -d, words.txt numbers.txt | head -n {n}",
        f"comm -12 words.txt words.txt | head -n {n}; cmp words.txt numbers.txt >/dev/null; echo $?",
        f"expr {n} + 3; expr {n} '*' 2; expr abc : 'a.'; expr {n} '>' 3; echo $?",
    ]
    return rng.choice(tools)


def files(rng: random.Random) -> str:
    word = rng.choice(WORDS)
    forms = [
        f"mkdir -p d/{word}/e && ls d; rmdir d 2>/dev/null; echo $?; rm -r d; ls -d d 2>/dev/null; echo $?",
        f"touch {word} && [ -e {word} ] && [ -f {word} ] && ! [ -d {word} ] && ! [ -s {word} ] && echo ok",
        f"cp words.txt {word}.txt; cmp words.txt {word}.txt && echo same; rm {word}.txt; cat {word}.txt 2>/dev/null; echo $?",
        f"cp -r sub {word}; find {word} -type f | sort; mv {word} moved; ls moved",
        "cp sub x 2>/dev/null; echo $?; cp none x 2>/dev/null; echo $?; mv none x 2>/dev/null; echo $?",
        f"mv words.txt {word}; ls {word}; wc -l < {word}",
        "rm none 2>/dev/null; echo $?; rm -f none; echo $?; rm sub 2>/dev/null; echo $?",
        "find . -name '*.txt' | sort; find sub -type d | sort; find . -maxdepth 1 -name 'w*'",
        "find sub -mindepth 1 -name '*o*' | sort; find sub -name '*.log' -delete >out; ls sub",
        "find . -type f -name 't*' -exec cat {} \\; | sort",
        "ls; ls -1 sub; ls -a sub | head -n 2; ls -d sub/deep",
        f"echo {word} > new; echo more >> new; cat new; : > new; wc -c < new; cat < new > old; ls new old",
        "stat -c '%s %F' words.txt sub | head -n 2; chmod 640 words.txt; stat -c %a words.txt; chmod u+x words.txt; stat -c %a words.txt",
        f"cd sub && pwd | grep -c sub; cd deep; cat three.txt; cd ../..; ls -d {rng.choice(['*.txt', 's*', '[n-z]*', '?ords.txt', 'none*'])}",
        "echo *.txt; echo sub/*; echo [!a-m]*; echo */*.log; echo none*; echo \"*\" '*' \\*",
        "ls none >out 2>err; echo $?; [ -s err ] && echo told; [ -s out ] || echo silent; { echo a; echo b >&2; } 2>&1 | wc -l",
        "echo x 2>/dev/null 1>&2; echo done; { echo a; echo b >&2; } 2>both; cat both",
        "[ -r words.txt -a -w words.txt ]; echo $?; [ ! -e none ] && echo absent",
        "test -z ''; echo $?; test -n x -a 1 -lt 2; echo $?; [ a = a -o b = c ]; echo $?; [ ]; echo $?; [ x ]; echo $?",
        f"mkdir {word}; mkdir {word} 2>/dev/null; echo $?; mkdir {word}/a/b 2>/dev/null; echo $?; rmdir {word}; echo $?",
        "du -s empty.txt >/dev/null; echo $?; realpath sub/../words.txt | grep -c '/words.txt$'; touch -c none; ls none 2>/dev/null; echo $?",
    ]
    return rng.choice(forms)


def links(rng: random.Random) -> str:
    word = rng.choice(WORDS)
    target = rng.choice(["words.txt", "sub", "sub/deep", "none", "../here", "sub/../empty.txt"])
    flag = rng.choice(["-r", "-P", "-a", "-d"])
    forms = [
        f"ln -s {target} {word}; readlink {word}; test -L {word}; echo $?; [ -e {word} ]; echo $?; [ -h none ]; echo $?",
        f"ln -s {target} {word}; ls {word} 2>/dev/null; echo $?; ls -F; ls -d {word}; ls -p",
        f"ln -s {target} {word}; stat -c '%N %F %s %a' {word}; stat -L -c %F {word} 2>/dev/null; echo $?",
        f"ln -s {target} {word}; cp {flag} {word} copy 2>/dev/null; echo $?; readlink copy; ls -F",
        f"ln -s {target} sub/{word}; cp {rng.choice(['-r', '-a', '-rP'])} sub all; find all | sort; find all -type l",
        f"ln -s {target} {word}; find . -type l; find {word} | sort; find {word}/ 2>/dev/null | sort; find -H {word} | sort",
        f"ln -s {target} {word}; rm {word}; echo $?; ls; ls sub",
        f"ln -s {target} {word}; rm -r {word}; echo $?; cat words.txt | wc -l; rmdir sub 2>/dev/null; echo $?",
        f"ln -s {target} {word}; echo more 2>/dev/null >> {word} || echo no; ls | sort; wc -l < words.txt; cat none 2>/dev/null",
        f"ln -s {target} {word}; mv {word} moved; readlink moved; readlink {word}; echo $?",
        "ln -s a b; ln -s b a; cat a 2>/dev/null; echo $?; ls -F; readlink -f a; echo $?; [ -e a ]; echo $?; [ -L a ]; echo $?",
        f"ln -s {target} {word}; readlink -f {word} | sed 's#.*/##'; echo x; readlink words.txt; echo $?; readlink -n {word}",
        f"ln -s {word} x; ln -s other x 2>/dev/null; echo $?; ln -sf other x; readlink x; ln -s /a/{word}; readlink {word}",
        f"ln -s sub {word}; cd {word}; ls; cd deep && cat three.txt; cd ../..; pwd | grep -c {word}; ls {word}/../words.txt",
        f"ln -s sub {word}; echo {word}/*; cat {word}/one.txt; echo new > {word}/new; ls sub; mkdir {word} 2>/dev/null; echo $?",
        f"ln -s {target} {word}; echo {word[0]}* ; touch {word}; echo $?; ls; ln -st sub p q; ls -F sub",
        f"ln -s sub {word}; ln -s words.txt {word}; readlink sub/words.txt; ln -sfn none {word}; readlink {word}",
    ]
    return rng.choice(forms)


FAMILIES: dict[str, tuple[Callable[[random.Random], str], int]] = {
    "arithmetic": (arithmetic, 70),
    "parameters": (parameters, 70),
    "splitting": (splitting, 50),
    "quoting": (quoting, 50),
    "control": (control, 60),
    "cases": (cases, 50),
    "documents": (documents, 30),
    "text": (text_tools, 170),
    "files": (files, 60),
    "links": (links, 90),
}
"""What is generated, and how many of each."""


def programs() -> dict[str, str]:
    """Every program by name; those that came out twice are left out."""
    found: dict[str, str] = {}
    seen: set[str] = set()
    for family, (make, count) in FAMILIES.items():
        rng = random.Random(family)
        number = 0
        for _ in range(20 * count):
            program = make(rng)
            if program not in seen:
                seen.add(program)
                found[f"{family}-{number}"] = program
                number += 1
            if number == count:
                break
    return found
