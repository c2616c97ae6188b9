//! Files of a room that use each other in a circle can only be read together.

use std::collections::{BTreeMap, BTreeSet};

use super::{code, sources};

/// The most files that may use each other in a circle.
const LARGEST: usize = 7;

/// A module: `["cli", "account", "add"]`.
type Module = Vec<String>;

/// What a file names, and what it passes on.
struct File {
    /// The paths it names.
    names: BTreeSet<Vec<String>>,
    /// What it imports: the name, and the path that the name stands for.
    passes_on: BTreeMap<String, Vec<String>>,
}

fn words(path: &str) -> Vec<String> {
    path.split("::").map(|word| word.trim().trim_start_matches("r#").to_owned()).collect()
}

/// `a::{b, c::{self, d}}` as `a::b`, `a::c`, `a::c::d`, each with the name that it gets.
fn trees(before: &str, tree: &str, found: &mut Vec<(String, String)>) {
    let tree = tree.trim();
    let Some((head, rest)) = tree.split_once('{') else {
        let (path, name) = tree.split_once(" as ").unwrap_or((tree, tree.rsplit("::").next().unwrap_or(tree)));
        let whole = format!("{before}{}", path.trim());
        let path = whole.strip_suffix("::self").unwrap_or(&whole).to_owned();
        let name = if name.trim() == "self" { path.rsplit("::").next().unwrap_or_default() } else { name.trim() };
        found.push((path.clone(), name.to_owned()));
        return;
    };
    let inside = rest.trim_end().trim_end_matches('}').len();
    let (mut depth, mut from) = (0, 0);
    // The last bracket of the tree closes this group.
    let rest = &rest[..rest.rfind('}').unwrap_or(inside)];
    for (at, c) in rest.char_indices().chain([(rest.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !rest[from..at].trim().is_empty() {
                    trees(&format!("{before}{head}"), &rest[from..at], found);
                }
                from = at + 1;
            }
            _ => {}
        }
    }
}

/// Whether `word` stands in `code` beside where it is imported.
fn is_used(code: &str, word: &str) -> bool {
    let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
    let whole = |at: &usize| edge(code[..*at].chars().next_back()) && edge(code[at + word.len()..].chars().next());
    code.match_indices(word).map(|(at, _)| at).filter(whole).count() > 0
}

fn read(text: &str) -> File {
    // Who may see a thing is no use of theirs.
    let code = code(text).replace("(in crate::", "(in ");
    let (mut names, mut passes_on, mut rest) = (BTreeSet::new(), BTreeMap::new(), String::new());
    let mut statements = code.as_str();
    let mut imports: Vec<(bool, Vec<(String, String)>)> = Vec::new();
    // Each `use …;` is taken out; what stays are the paths in the code itself.
    while let Some(at) = statements.match_indices("use ").map(|(at, _)| at).find(|at| {
        let before = statements[..*at].rsplit('\n').next().unwrap_or_default().trim();
        before.is_empty() || before.starts_with("pub") && !before.contains(' ')
    }) {
        let begin = statements[..at].rfind('\n').map_or(0, |at| at + 1);
        let end = statements[at..].find(';').map_or(statements.len(), |end| at + end);
        let mut found = Vec::new();
        trees("", &statements[at + "use ".len()..end].replace('\n', " "), &mut found);
        imports.push((statements[begin..at].contains("pub"), found));
        rest.push_str(&statements[..begin]);
        statements = &statements[(end + 1).min(statements.len())..];
    }
    rest.push_str(statements);
    for (passed_on, found) in imports {
        for (path, name) in found {
            // Modules below may name what this one imports, public or not.
            passes_on.insert(name.clone(), words(&path));
            if !passed_on || is_used(&rest, &name) {
                names.insert(words(&path));
            }
        }
    }
    let is_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '#');
    for token in rest.split(|c: char| !is_path(c)).filter(|token| token.contains("::")) {
        names.insert(words(token));
    }
    File { names, passes_on }
}

struct House {
    files: BTreeMap<Module, File>,
}

impl House {
    fn new() -> Self {
        let module = |path: &std::path::Path| {
            let inside = path.strip_prefix("src").expect("in src").with_extension("");
            let words = inside.components().map(|word| word.as_os_str().to_string_lossy().into_owned());
            words.filter(|word| word != "mod").collect::<Module>()
        };
        Self { files: sources().iter().map(|(path, text)| (module(path), read(text))).collect() }
    }

    /// The module whose file has what `path`, named in `from`, stands for.
    fn home(&self, from: &Module, path: &[String], deep: usize) -> Option<Module> {
        let (mut at, mut rest) = match path.first()?.as_str() {
            "crate" => (Vec::new(), &path[1..]),
            "self" => (from.clone(), &path[1..]),
            "super" => (from[..from.len() - 1].to_vec(), &path[1..]),
            first if self.files.contains_key(&[from.as_slice(), &[first.to_owned()]].concat()) => (from.clone(), path),
            _ => return None,
        };
        while let Some((first, more)) = rest.split_first() {
            if first == "super" {
                at.pop();
            } else {
                let below = [at.as_slice(), std::slice::from_ref(first)].concat();
                if !self.files.contains_key(&below) {
                    break;
                }
                at = below;
            }
            rest = more;
        }
        let passed_on = rest.first().and_then(|name| self.files.get(&at)?.passes_on.get(name));
        match passed_on {
            Some(path) if deep < 8 => self.home(&at, path, deep + 1).or(Some(at)),
            _ => Some(at),
        }
    }

    /// The files of the same room that each one uses.
    fn uses(&self) -> BTreeMap<&Module, BTreeSet<&Module>> {
        let of = |(module, file): (_, &File)| -> (_, BTreeSet<&Module>) {
            let module: &Module = module;
            let found = file.names.iter().filter_map(|path| self.home(module, path, 0));
            let known = found.filter_map(|home| Some(self.files.get_key_value(&home)?.0));
            (module, known.filter(|home| *home != module && home.first() == module.first()).collect())
        };
        self.files.iter().map(of).collect()
    }
}

fn circles(uses: &BTreeMap<&Module, BTreeSet<&Module>>) -> BTreeSet<Vec<String>> {
    let reached: BTreeMap<&Module, BTreeSet<&Module>> = uses
        .keys()
        .map(|from| {
            let (mut seen, mut next) = (BTreeSet::new(), vec![*from]);
            while let Some(at) = next.pop() {
                next.extend(uses[at].iter().filter(|used| seen.insert(**used)));
            }
            (*from, seen)
        })
        .collect();
    let circle = |from: &&Module| -> Vec<String> {
        reached[from].iter().filter(|other| reached[*other].contains(from)).map(|file| file.join("/")).collect()
    };
    reached.keys().map(circle).filter(|circle| circle.len() > 1).collect()
}

#[test]
fn files_of_a_room_use_each_other_in_small_circles_at_most() {
    let house = House::new();
    let uses = house.uses();
    let edges: usize = uses.values().map(BTreeSet::len).sum();
    assert!(edges > 500, "the uses are not found: {edges}");
    let found = circles(&uses);
    let too_large: Vec<_> = found.iter().filter(|circle| circle.len() > LARGEST).collect();
    let within = |circle: &[String]| -> Vec<String> {
        let inside = |file: &&Module| circle.contains(&file.join("/"));
        let of = |(module, used): (&&Module, &BTreeSet<&Module>)| {
            let names: Vec<String> = used.iter().copied().filter(inside).map(|name| name.join("/")).collect();
            format!("{} uses {}", module.join("/"), names.join(", "))
        };
        uses.iter().filter(|(module, _)| inside(module)).map(of).collect()
    };
    let told: Vec<_> = too_large.into_iter().map(|circle| within(circle)).collect();
    assert!(told.is_empty(), "{told:#?}");
}

/// A path upstairs twice hides from the table of imports which room it goes to.
#[test]
fn paths_go_up_once() {
    let twice = sources().into_iter().filter(|(_, text)| code(text).contains("super::super::"));
    let twice: Vec<_> = twice.map(|(path, _)| path).collect();
    assert!(twice.is_empty(), "{twice:#?}");
}

#[test]
fn a_circle_is_found() {
    let file = |text: &str| read(text);
    let module = |path: &str| path.split('/').map(str::to_owned).collect::<Module>();
    let files = BTreeMap::from([
        (module("a"), file("mod b;\nmod c;\npub use c::{Thing, other as another};\nuse c::Own;")),
        (module("a/b"), file("use super::{another, c::d::{self, E}};\nuse crate::a::Thing;")),
        (module("a/c"), file("fn x() { crate::a::b::y() }")),
    ]);
    let found = circles(&House { files }.uses());
    assert_eq!(found, BTreeSet::from([vec!["a/b".to_owned(), "a/c".to_owned()]]));
}
