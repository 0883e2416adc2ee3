#include "server/io/sql_store.h"

namespace pytoon::io {

void SqlStore::at_crash_point(std::string_view name, const char* point) const {
  if (options_.crash_point) options_.crash_point(std::string(name) + "." + point);
}

}  // namespace pytoon::io
