use super::*;

/// The line and the message of a script's fault.
#[track_caller]
fn faulty(script: &str) -> (usize, String) {
    let fault = fault(script).unwrap_or_else(|| panic!("no fault in {script:?}"));
    (fault.line, fault.message)
}

#[test]
fn what_has_no_end_is_reported_where_it_begins() {
    for (script, line, message) in [
        ("echo\nif a; then\n  b\n", 2, "`if` has no `fi`"),
        ("if a; then b; elif c; then\n", 1, "`if` has no `fi`"),
        ("a\n\nwhile b\n", 3, "`while` has no `do`"),
        ("for a in b; do\nc\n", 1, "`for` has no `done`"),
        ("f() {\n  a\n", 1, "`{` has no `}`"),
        ("(\na\n", 1, "`(` has no `)`"),
        ("case a in\nb) c ;;\n", 1, "`case` has no `esac`"),
        ("a=$(b\nc\n", 1, "`$(` has no `)`"),
        ("a\nb='c\nd\n", 2, "`'` has no second one"),
        ("a \"b\nc\n", 1, "`\"` has no second one"),
        ("a ${b\n", 1, "`${` has no `}`"),
        ("a $((1 + (2))\n", 1, "`$((` has no `))`"),
        ("a `b\n", 1, "`` ` `` has no second one"),
        (
            "cat <<E\n${a\nE\n",
            2,
            "in the here-document, `${` has no `}`",
        ),
    ] {
        assert_eq!(faulty(script), (line, message.to_owned()), "{script:?}");
    }
}

#[test]
fn what_cannot_stand_where_it_does_is_named() {
    for (script, line, message) in [
        ("a\nfi\n", 2, "`fi` cannot stand here"),
        ("if a; then\nfi\n", 2, "`fi` cannot stand here"),
        (
            "if a; then b; done\n",
            1,
            "`done` cannot stand here, where `fi` was expected",
        ),
        ("a\nb )\n", 2, "`)` cannot stand here"),
        ("a & ; b\n", 1, "`;` cannot stand here"),
        ("a ||\n&& b\n", 2, "`&&` cannot stand here"),
        ("a=(1 2)\n", 1, "`(` cannot stand here"),
        ("cat <<< b\n", 1, "a redirection cannot stand here"),
        ("a >\nb\n", 1, "the end of the line cannot stand here"),
        (
            "case a in b c) ;; esac\n",
            1,
            "a word cannot stand here, where `)` was expected",
        ),
        (
            "for 1 in a; do b; done\n",
            1,
            "`for` needs a variable's name",
        ),
        ("a-b() { c; }\n", 1, "bad function name"),
        ("a `b && ;`\n", 1, "`;` cannot stand here"),
    ] {
        assert_eq!(faulty(script), (line, message.to_owned()), "{script:?}");
    }
}

#[test]
fn what_a_shell_reads_has_no_fault() {
    for script in [
        "",
        "\n# it's\n",
        "a#b 'c' \"d `e \\`f\\` \\\"g\\\"`\" \\\n  h\n",
        "if a; then b; fi | c && ! d || e &\n",
        "for i do a; done; for i; do a; done; for i in fi do; do a; done >b 2>&1\n",
        "case x in (a|esac) b ;; fi) ;; *) c; esac\n",
        "x=$(case a in a) b ;; esac)\n",
        "f() if a; then b; fi\ng()\n{ a; }\n( a ) <b\n",
        "cat <<E <<-'F' && b\n$(c \"E\"\n)\n`d` ${e:-'}\nE\n\t$( `\n\tF\n",
        "a=$(cat <<E\n)\nE\n)\ncat <<E\nno end",
        "echo ${} ${x y} ${x${y} ${%} ${#/} ${x:\"} ${#} ${##} ${#x} ${x%\"}\"} \"${x:-\"a\"}\" \"${x#'}'}\" ${x:-(a;b)}\n",
        "echo $((1 + (2 * $x) << `b`)) \"$(( ${c} ))\" $ $% \"$\"\n",
        "a=b c=d e f=g >h\necho done fi } { ! in\n",
        "[[ a && b ]]\na &> b\n",
        "a \\",
        "a=\"$(b <<E)\"\nit's\nE\n",
    ] {
        assert_eq!(fault(script), None, "{script:?}");
    }
}

/// A text may hold anything.
#[test]
fn depth_has_an_end() {
    for piece in [
        "(",
        "$(",
        "`",
        "{ ",
        "if ",
        "a() ",
        "\"${x-",
        "$((",
        "\\`",
        "! ",
        "case a in b) ",
    ] {
        let _ = fault(&piece.repeat(50_000));
    }
    let script = "(".repeat(1000) + "a" + &")".repeat(1000);
    assert_eq!(fault(&script), None);
}
