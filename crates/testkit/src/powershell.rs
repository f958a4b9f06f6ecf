//! Whether a text is PowerShell, as far as a grammar can tell.

/// The first place where a text is no PowerShell.
pub fn fault(text: &str) -> Option<String> {
    let mut parser = tree_sitter::Parser::new();
    parser.set_language(&tree_sitter_powershell::LANGUAGE.into()).unwrap();
    let tree = parser.parse(text, None).unwrap();
    let mut open = vec![tree.root_node()];
    while let Some(node) = open.pop() {
        if node.is_error() || node.is_missing() {
            let line = node.start_position().row;
            return Some(format!("line {}: {}", line + 1, text.lines().nth(line).unwrap_or_default()));
        }
        open.extend((0..node.child_count()).filter_map(|i| node.child(i)));
    }
    None
}
