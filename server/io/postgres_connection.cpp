#include "server/io/postgres_connection.h"

#include <array>
#include <charconv>

namespace pytoon::io {
namespace {

// Types by their numbers in pg_type.dat of the PostgreSQL sources.
constexpr pqxx::oid kInt8 = 20;
constexpr pqxx::oid kInt2 = 21;
constexpr pqxx::oid kInt4 = 23;
constexpr pqxx::oid kFloat8 = 701;
constexpr pqxx::oid kNumeric = 1700;

std::string with_limits(const std::string& connection, const PostgresLimits& limits) {
  const auto ms = [](std::chrono::milliseconds time) { return std::to_string(time.count()); };
  return connection + " connect_timeout=" + std::to_string(limits.connect.count()) +
         " keepalives=1 keepalives_idle=5 keepalives_interval=2 keepalives_count=3" +
         " tcp_user_timeout=" + ms(limits.silence) + " client_encoding=UTF8" +
         " options='-c statement_timeout=" + ms(limits.statement) +
         " -c lock_timeout=" + ms(limits.lock) +
         " -c idle_in_transaction_session_timeout=" + ms(limits.idle_in_transaction) + "'";
}

void never_reconnect(pqxx::connection& connection) {
  // Deprecated because libpqxx 7 never reconnects; 6 does, half way through our work.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  connection.inhibit_reactivation(true);
#pragma GCC diagnostic pop
}

template <typename Number>
std::string number_text(Number number) {
  std::array<char, 40> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  return {digits.data(), end.ptr};
}

Value value_of(const pqxx::field& field) {
  if (field.is_null()) return Null{};
  const std::string_view text(field.c_str(), field.size());
  const auto parsed = [text](auto number) {
    std::from_chars(text.data(), text.data() + text.size(), number);
    return Value(number);
  };
  switch (field.type()) {
    case kInt8:
    case kInt4:
    case kInt2:
      return parsed(std::int64_t{0});
    case kFloat8:
    case kNumeric:
      return parsed(0.0);
    default:
      return std::string(text);
  }
}

// The length of the UTF-8 sequence that begins at `at`, 0 when it is broken (RFC 3629).
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(at);
  if (first < 0x80) return first == 0 ? 0 : 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xc0U) != 0x80) return 0;
  }
  const unsigned second = byte(at + 1);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool outside = (first == 0xed && second >= 0xa0) || (first == 0xf4 && second >= 0x90);
  return overlong || outside ? 0 : length;
}

}  // namespace

std::string for_postgres(std::string_view sql) {
  std::string text;
  int parameter = 0;
  for (const char c : sql) {
    if (c == '?') {
      text += '$' + std::to_string(++parameter);
    } else if (c != '{' && c != '}') {
      text += c;
    }
  }
  return text;
}

std::string as_utf8(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = sequence_length(text, i);
    clean += length == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(i, length);
    i += std::max<std::size_t>(length, 1);
  }
  return clean;
}

PostgresConnection::PostgresConnection(const std::string& connection, const PostgresLimits& limits)
    : connection_(with_limits(connection, limits)) {
  never_reconnect(connection_);
}

const std::string& PostgresConnection::prepared(std::string_view sql) {
  const auto found = names_.find(sql);
  if (found != names_.end()) return found->second;
  const std::string name = "s" + std::to_string(names_.size() + 1);
  connection_.prepare(name, for_postgres(sql));
  return names_.emplace(std::string(sql), name).first->second;
}

pqxx::result PostgresConnection::run(pqxx::transaction_base& transaction, std::string_view sql,
                                     std::span<const Param> params) {
  std::vector<std::string> texts;
  texts.reserve(params.size());
  std::vector<const char*> values;
  for (const Param& param : params) {
    if (std::holds_alternative<Null>(param)) {
      values.push_back(nullptr);
      continue;
    }
    if (const auto* whole = std::get_if<std::int64_t>(&param)) {
      texts.push_back(number_text(*whole));
    } else if (const auto* real = std::get_if<double>(&param)) {
      texts.push_back(number_text(*real));
    } else {
      texts.push_back(as_utf8(std::get<std::string_view>(param)));
    }
    values.push_back(texts.back().c_str());
  }
  return transaction.exec_prepared(prepared(sql), pqxx::prepare::make_dynamic_params(values));
}

Rows PostgresSession::query_with(std::string_view sql, std::span<const Param> params) {
  Rows rows;
  for (const pqxx::row& found : connection_.run(transaction_, sql, params)) {
    std::vector<Value> values;
    values.reserve(found.size());
    for (const pqxx::field& field : found) values.push_back(value_of(field));
    rows.emplace_back(std::move(values));
  }
  return rows;
}

std::int64_t PostgresSession::run_with(std::string_view sql, std::span<const Param> params) {
  return static_cast<std::int64_t>(connection_.run(transaction_, sql, params).affected_rows());
}

void PostgresSession::learn_clock(std::int64_t micros) {
  now_ = micros;
  connection_.server_clock = {micros, clock_.steady_now()};
}

std::int64_t PostgresSession::now() {
  if (now_ != 0) return now_;
  const std::optional<ServerClock>& known = connection_.server_clock;
  if (use_ == Use::kReading && known) {
    const auto since = clock_.steady_now() - known->at;
    if (since < kClockLife) {
      now_ = known->micros + std::chrono::duration_cast<std::chrono::microseconds>(since).count();
      return now_;
    }
  }
  learn_clock(
      query("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint").at(0).integer(0));
  return now_;
}

std::int64_t PostgresSession::next_epoch() {
  // The clock comes along: who asks for an epoch needs it next, and each question is a round trip.
  const Rows rows =
      query("SELECT nextval('epochs'), (extract(epoch FROM clock_timestamp()) * 1000000)::bigint");
  if (now_ == 0) learn_clock(rows.at(0).integer(1));
  return rows[0].integer(0);
}

}  // namespace pytoon::io
