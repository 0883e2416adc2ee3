#include "server/io/sql_profiles.h"

#include "server/io/sql_transaction.h"

namespace pytoon::io {

using jobs::admission::Observation;
using jobs::admission::Profile;
using jobs::admission::ProfileOptions;

namespace {

constexpr std::string_view kSelect =
    "SELECT model, weights, prior_full, prior_tiled, runs, log_mean, log_variance, log_maximum "
    "FROM workflow_profiles WHERE workflow = ?";
constexpr std::string_view kLock =
    "SELECT model, weights, prior_full, prior_tiled, runs, log_mean, log_variance, log_maximum "
    "FROM workflow_profiles WHERE workflow = ? {FOR UPDATE}";

// The prior with what was learned of a file that said the same.
Profile with_learned(Profile prior, const Rows& rows) {
  if (rows.empty()) return prior;
  const Row& row = rows[0];
  const bool same = row.text(0) == prior.model && row.integer(1) == prior.weights &&
                    row.integer(2) == prior.prior_full && row.integer(3) == prior.prior_tiled;
  if (!same) return prior;
  prior.runs = row.small(4);
  prior.log_mean = row.number(5);
  prior.log_variance = row.number(6);
  prior.log_maximum = row.number(7);
  return prior;
}

void write(SqlSession& session, const Profile& profile) {
  session.run(
      "UPDATE workflow_profiles SET model = ?, weights = ?, prior_full = ?, prior_tiled = ?, "
      "runs = ?, log_mean = ?, log_variance = ?, log_maximum = ? WHERE workflow = ?",
      {profile.model, profile.weights, profile.prior_full, profile.prior_tiled,
       std::int64_t{profile.runs}, profile.log_mean, profile.log_variance, profile.log_maximum,
       profile.workflow});
}

}  // namespace

Result<Profile> SqlProfileStore::profile(const Profile& prior) {
  return read_from(database_, [&](SqlSession& session) -> Result<Profile> {
    return with_learned(prior, session.query(kSelect, {prior.workflow}));
  });
}

Result<Profile> SqlProfileStore::learn(const Profile& prior, const Observation& observation,
                                       const ProfileOptions& options) {
  return write_to(database_, [&](SqlSession& session) -> Result<Profile> {
    session.run("INSERT INTO workflow_profiles (workflow) VALUES (?) ON CONFLICT DO NOTHING",
                {prior.workflow});
    Profile known =
        learned(with_learned(prior, session.query(kLock, {prior.workflow})), observation, options);
    write(session, known);
    return known;
  });
}

}  // namespace pytoon::io
