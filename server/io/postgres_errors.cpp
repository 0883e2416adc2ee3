#include "server/io/postgres_errors.h"

#include <pqxx/pqxx>
#include <string_view>

namespace pytoon::io {
namespace {

PostgresTrouble from_state(std::string_view state, const std::string& text) {
  const auto in_class = [state](std::string_view prefix) { return state.starts_with(prefix); };
  if (state == "53100") return {Trouble::kRefused, FailureKind::kStorageFull, text};
  if (state == "58030") return {Trouble::kRefused, FailureKind::kIo, text};
  // Shut down, crashed, starting up; a session ended for idling.
  if (in_class("57P") || in_class("08") || state == "25P03") {
    return {Trouble::kBroken, FailureKind::kUnavailable, text};
  }
  // Out of resources; a time limit; a standby that only reads.
  if (in_class("53") || in_class("55") || in_class("57") || state == "25006") {
    return {Trouble::kRefused, FailureKind::kUnavailable, text};
  }
  if (state == "23505") return {Trouble::kRefused, FailureKind::kConflict, text};
  return {Trouble::kRefused, FailureKind::kInternal, text};
}

// The server's first line; more would be a query's text and values.
std::string told(const std::exception& error) {
  const std::string_view text = error.what();
  return "database: " + std::string(text.substr(0, text.find('\n')));
}

}  // namespace

PostgresTrouble understand(const std::exception_ptr& error) {
  constexpr FailureKind kAway = FailureKind::kUnavailable;
  try {
    std::rethrow_exception(error);
  } catch (const pqxx::in_doubt_error&) {
    return {Trouble::kInDoubt, kAway,
            "database: the answer to a commit was lost, it may or may not have happened"};
  } catch (const pqxx::statement_completion_unknown& unknown) {
    return {Trouble::kInDoubt, kAway, told(unknown)};
  } catch (const pqxx::transaction_rollback& lost) {
    return {Trouble::kTurnLost, kAway, told(lost)};
  } catch (const pqxx::broken_connection& broken) {
    return {Trouble::kBroken, kAway, told(broken)};
  } catch (const pqxx::sql_error& refused) {
    return from_state(refused.sqlstate(), told(refused));
  } catch (const std::exception& other) {
    return {Trouble::kBroken, FailureKind::kInternal, told(other)};
  }
}

}  // namespace pytoon::io
