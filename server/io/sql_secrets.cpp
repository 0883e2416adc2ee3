// Secrets that the processes of an installation share.
#include "server/io/sql_writing.h"

namespace pytoon::io {

Result<std::string> SqlStore::shared_secret(const std::string& name, const std::string& fresh) {
  return writing("shared_secret", [&](SqlSession& session) -> Result<std::string> {
    session.run("INSERT INTO shared_secrets (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING",
                {name, fresh});
    const Rows rows = session.query("SELECT value FROM shared_secrets WHERE name = ?", {name});
    return rows.at(0).text(0);
  });
}

}  // namespace pytoon::io
