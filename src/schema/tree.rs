//! Duo's fields as a tree, to find columns without building a path (docs/benchmarks.md).

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use super::{PathColumns, columns_of, duo};

#[derive(Debug, Default)]
pub(crate) struct Node {
    members: FxHashMap<&'static str, Node>,
    columns: Option<&'static PathColumns>,
}

impl Node {
    pub(crate) fn root() -> &'static Self {
        static ROOT: LazyLock<Node> = LazyLock::new(|| {
            let mut root = Node::default();
            for field in duo::FIELDS {
                let mut node = &mut root;
                for name in field.path.split('.') {
                    node = node.members.entry(name).or_default();
                }
                node.columns = columns_of(&field.path.replace('.', "_"));
            }
            root
        });
        &ROOT
    }

    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        self.members.get(name)
    }

    /// The columns for values other than objects.
    pub(crate) const fn columns(&self) -> Option<&'static PathColumns> {
        self.columns
    }
}

#[cfg(test)]
mod tests {
    use super::Node;
    use crate::schema::{columns_of, duo};

    #[test]
    fn every_field_is_found_at_its_path() {
        for field in duo::FIELDS {
            let mut node = Node::root();
            for name in field.path.split('.') {
                node = node.member(name).unwrap();
            }
            let columns = columns_of(&field.path.replace('.', "_")).unwrap();
            assert!(std::ptr::eq(node.columns().unwrap(), columns), "{}", field.path);
        }
        assert!(Node::root().member("user_name").is_none());
        assert!(Node::root().member("user").unwrap().columns().is_none());
    }
}
