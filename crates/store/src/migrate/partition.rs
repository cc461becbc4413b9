//! Hash partitions of every tenant table, as a sharding by account would have them; for tests.

const PARTITIONS: usize = 4;

/// The statements that partition the tables a migration makes.
pub(super) fn text(migration: &str) -> String {
    let mut out = String::new();
    let mut table = "";
    for line in migration.lines() {
        if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
            table = rest.split(' ').next().unwrap_or_default();
        }
        if line.starts_with(") {{rows}}") || line.starts_with(") {{clustered}}") {
            for part in 0..PARTITIONS {
                out.push_str(&format!(
                    "CREATE TABLE {table}_{part} PARTITION OF {table} FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {part});\n"
                ));
            }
        }
    }
    out
}
