//! What a package of the command comes with: its manual, and completions for shells.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::process::Command;

fn tenure(args: &[&str]) -> String {
    let answer = Command::new(env!("CARGO_BIN_EXE_tenure")).args(args).output().unwrap();
    assert_eq!(answer.status.code(), Some(0), "{args:?}");
    String::from_utf8(answer.stdout).unwrap()
}

/// The commands that `--help` lists.
fn commands() -> Vec<String> {
    let help = tenure(&["--help"]);
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    // What goes on in the next line is indented by more.
    let names = list.lines().filter(|line| !line.starts_with("    "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn each_command_has_a_page_that_says_what_its_help_says() {
    let pages = Path::new(env!("CARGO_TARGET_TMPDIR")).join("man1");
    let _ = fs::remove_dir_all(&pages);
    tenure(&["man", "--out", pages.to_str().unwrap()]);
    let commands = commands();
    assert!(commands.len() > 15, "{commands:?}");
    for command in &commands {
        let page = fs::read_to_string(pages.join(format!("tenure-{command}.1"))).unwrap();
        assert!(page.contains(&format!(".TH tenure-{command} 1")), "{command}: {page}");
        let help = tenure(&[command, "--help"]);
        let options = help.split_whitespace().filter_map(|word| word.strip_prefix("--"));
        for option in options.filter(|it| it.chars().all(|it| it.is_ascii_lowercase() || it == '-'))
        {
            assert!(
                page.contains(&format!("\\-\\-{}", option.replace('-', "\\-"))),
                "{command} --{option}"
            );
        }
    }
    assert_eq!(fs::read_dir(&pages).unwrap().count(), commands.len() + 1);
    let first = tenure(&["man"]);
    assert_eq!(first, fs::read_to_string(pages.join("tenure.1")).unwrap());
    assert!(commands.iter().all(|it| first.contains(&format!("tenure\\-{it}(1)"))), "{first}");
}

#[test]
fn completions_know_each_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = tenure(&["completions", shell]);
        for command in commands() {
            assert!(script.contains(&command), "{shell}: {command}");
        }
    }
}
