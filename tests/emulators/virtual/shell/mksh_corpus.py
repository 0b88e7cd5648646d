"""Programs for what mksh, the shell of Android, has beyond POSIX, and for descriptors that stay open."""

from __future__ import annotations

from typing import Final

DESCRIPTORS: Final = (
    "exec 3>f; echo a >&3; echo b >&3; cat f",
    "exec 3>f 4>f; echo aaa >&3; echo b >&4; cat f",
    "exec 3>>f; echo a >>f; echo b >&3; cat f",
    "exec >f; echo hidden; exec >&2; cat f",
    "exec 3>&1 >f; echo in; echo out >&3; exec >&3; cat f",
    "printf '1\n2\n3\n' >f; exec 3<f; read -u3 a; read -u3 b; echo $a $b; cat <&3",
    "printf '1\n2\n' >f; while read -r x <&3; do echo got $x; done 3<f",
    "{ echo a; echo b >&3; } 3>f; cat f; echo c >&3; echo after $?",
    "(exec >f; echo a); echo b; cat f",
    "exec 3>f; (echo a >&3); echo b >&3; cat f",
    "exec 3>f; exec 3>&-; echo a >&3; echo $?",
    "exec >/no/f; echo never",
    "exec </no/f; echo never",
    "command exec </no/f; echo after $?",
    "echo a >/no/f; echo after $?",
    "{ echo a; } </no/f; echo after $?",
    "if true; then echo a; fi >f; cat f; for i in 1 2; do echo $i; done >>f; cat f",
    "f() { echo x; echo y >&2; }; f >f 2>&1; cat f; f 2>/dev/null",
    "ls /nope 2>f; wc -l <f; ls /nope >f 2>&1; wc -l <f; ls /nope &>f; wc -l <f; echo a &>>f; wc -l <f",
    "x=$(ls /nope 2>&1); echo ${#x} | grep -c .; x=$(ls /nope) 2>/dev/null; echo $?",
    'echo text | { x=$(cat); echo "[$x]"; }',
    "printf 'a\nb\nc\n' | while read x; do y=$(cat); echo $x; echo \"$y\"; done",
    "echo a | cat - /dev/null; cat </dev/null; echo b >/dev/stdout; echo c >/dev/null",
    'cat <<<hello; x=\'a  b\'; cat <<<$x; cat <<<"$x"; read a b <<<"1 2 3"; echo $b',
    "echo a >f; { cat; echo b; } <f >g; cat g",
    "echo one >f; { echo two; cat f; } >g; cat g",
)
READ: Final = (
    "read -n 3 x <<<abcdef; echo $x",
    "read -d : a <<<p:q; echo $a; read -d '' a <<<'x y'; echo $? $a",
    "read -r a <<<'a\\tb'; echo \"$a\" | wc -c; read a <<<'a\\tb'; echo \"$a\" | wc -c",
    "read <<<line; echo $REPLY; read x </dev/null; echo $?",
    'IFS=: read a b c <<<x:y:z:w; echo $c; echo "$IFS" | wc -c',
)
CONDITIONS: Final = (
    "[[ abc == a* && -n x ]] && echo yes",
    "[[ a < b ]] && echo lt; [[ b > a ]] && echo gt",
    "[[ ! ( -z x || 1 -gt 2 ) ]] && echo ok",
    'x="a b"; [[ $x == "a b" ]] && echo whole; [[ $x = a* ]] && echo begins',
    '[[ abc == "a*" ]] || echo quoted; p="a*"; [[ abc == $p ]] && echo pattern; [[ abc == "$p" ]] || echo literal',
    "[[ -d . && -e a.txt ]]; echo $?; [[ -f . ]] || echo no file; [[ '' ]] || echo empty; [[ x ]] && echo full",
    "[[ 3 -lt 10 ]] && echo less; [[ 1+2 -eq 3 ]] && echo sum; [[ abc != abd ]] && echo differs",
    "if [[ -n '' ||\n  a == a ]]; then echo lines; fi",
    "[[ a == b ]]; echo $?; [[ $nothing == '' ]] && echo unset",
    "(( 1 + 1 == 2 )) && echo yes; (( 0 )); echo $?; (( x = 5, y = x * 2 )); echo $x $y",
    "((echo a); echo b)",
    "i=0; while ((i < 3)); do echo $i; ((i++)); done; ((i == 3)) || echo no",
)
ARITHMETIC: Final = (
    "i=1; echo $((i++)) $((++i)) $i $((i--)) $i",
    "echo $((16#ff)) $((2#101)) $((1,2)) $((1 ? 2 : 3)) $((5 - -3)) $((- -1)) $((!0)) $((~5))",
    "let x=1+2 y=x*2; echo $x $y; let x=0; echo $?; let 'x = 1 +'; echo after $?",
    "typeset -i n=3+4; n=n*2; echo $n; n=x; echo $n",
    "x=4; ((x+=3)); echo $x; ((x<<=2)); echo $x",
    "echo $((1 +)); echo never",
)
NAMES: Final = (
    "type cd if nope | sed 's/ is a/ =/'; f() { :; }; type f; whence cd; whence -v f; command -v cd f nope; echo $?",
    "print -n a; print -r 'b\\tc'; print 'd\\te'; print -u2 err; print - -n; print -l 1 2",
    "readonly r=1; echo $r; r=2; echo never",
    "readonly r=1; (r=2; echo never); echo after $?",
    "typeset -r r=1; unset r; echo $? $r",
    "trap 'echo bye' EXIT; trap; trap - EXIT; trap",
    "function g { echo $1; }; g 7; function h() { echo h; }; h",
    'f() { local a=1 b; a=2; echo $a; return 3; }; f; echo $? "[$a]"',
    "false | true; echo $?; set -o pipefail; false | true; echo $?; set +o pipefail; false | true; echo $?",
    "s=ab; s+=cd; echo $s; unset t; t+=x; echo $t",
    "ulimit >/dev/null && echo ok; echo $((RANDOM >= 0)) $((SECONDS < 100))",
)
WORDS: Final = (
    'echo {a,b}{1,2} x{,y} {a} {} "{a,b}" {1..3} a{b,c{d,e}}',
    "for f in {a,b}.txt; do echo $f; done",
    "mkdir -p d/{p,q}; ls d; echo {a,'b c'} {$HOME,x}",
    'echo ~ ~/x "~" a~ \\~ ; x=~/y; echo $x; cd /; echo ~+; cd ..; echo ~-',
    "x=abcabc; echo ${x/b/X} ${x//b/X} ${x:1:2} ${x: -2} ${x%b*} ${x##*b}",
    "case a in a) echo 1;& b) echo 2;; c) echo 3;; esac; case a in a) echo 1;| b) echo no;; a) echo 4;; esac",
    "case ab in (a*) echo glob;; esac; case '*' in '*') echo star;; esac; case x in a|x) echo either;; esac",
    'set -- a \'b c\'; for i; do echo "$i"; done; echo "$*" $#; shift; echo $1',
    "echo $'a\\tb\\x41\\101' | wc -c; echo 'it'\\''s'",
)
MKSH_PROGRAMS: Final = (*DESCRIPTORS, *READ, *CONDITIONS, *ARITHMETIC, *NAMES, *WORDS)
