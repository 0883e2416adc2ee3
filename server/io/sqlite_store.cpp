#include "server/io/sqlite_store.h"

#include "server/io/migrations.h"
#include "server/io/owner_lock.h"
#include "server/io/sqlite_columns.h"
#include "server/jobs/store_rules.h"

namespace pytoon::io {
namespace fs = std::filesystem;
using jobs::Job;
using jobs::Segment;

namespace {

constexpr std::size_t kSpecsKept = 512;

}  // namespace

SqliteStore::SqliteStore(Opened /*by open()*/, const fs::path& file, const Clock& clock,
                         const Options& options, FileDescriptor lock)
    : lock_(std::move(lock)), clock_(clock), writer_(file, Database::Access::kWrite, options) {
  writer_.database.run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;");
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const fs::path& file, const Clock& clock,
                                                       Options options) {
  std::error_code error;
  if (file.has_parent_path()) fs::create_directories(file.parent_path(), error);
  if (error) return errno_failure(error.value(), "can't create " + file.parent_path().string());
  Result<FileDescriptor> lock = own(file.string() + ".lock", file.string());
  if (!lock) return lock.failure();
  return guarded([&]() -> Result<std::unique_ptr<SqliteStore>> {
    auto store =
        std::make_unique<SqliteStore>(Opened{}, file, clock, options, std::move(lock).value());
    Status migrated = migrate(store->writer_.database, migrations(), clock);
    if (!migrated) return migrated.failure();
    for (int i = 0; i < options.readers; ++i) {
      store->readers_.push_back(
          std::make_unique<Connection>(file, Database::Access::kRead, options));
    }
    return store;
  });
}

std::shared_ptr<const spec::RenderSpec> SqliteStore::spec_of(const std::string& job_id,
                                                             const Statement& row, int column) {
  {
    const std::lock_guard lock(specs_mutex_);
    const auto found = specs_.find(job_id);
    if (found != specs_.end()) return found->second;
  }
  const auto json = nlohmann::ordered_json::parse(row.text(column), nullptr, false);
  Result<spec::RenderSpec> spec = spec::render_spec_from_json(json);
  if (!spec) {
    throw SqliteError(FailureKind::kInternal,
                      "the stored spec of job " + job_id + " is broken: " + spec.failure().detail);
  }
  auto kept = std::make_shared<const spec::RenderSpec>(std::move(spec).value());
  const std::lock_guard lock(specs_mutex_);
  if (specs_.size() >= kSpecsKept) specs_.clear();
  specs_.emplace(job_id, kept);
  return kept;
}

Job SqliteStore::read_job(const Statement& row) {
  Job job = read_job_columns(row);
  job.spec = *spec_of(job.id, row, kSpecColumn);
  return job;
}

std::vector<Segment> SqliteStore::read_segments(Database& database, const std::string& job_id) {
  const Prepared rows = database.use(kSelectSegments);
  rows->bind(job_id);
  std::vector<Segment> segments;
  while (rows->step()) segments.push_back(read_segment_columns(*rows.operator->()));
  return segments;
}

Result<Job> SqliteStore::job(const std::string& id) {
  return reading([&](Database& database) -> Result<Job> {
    const Prepared row = database.use(kSelectJob);
    row->bind(id);
    if (!row->step()) return jobs::no_such_job(id);
    return read_job(*row.operator->());
  });
}

Result<std::vector<Segment>> SqliteStore::segments(const std::string& job_id) {
  return reading([&](Database& database) -> Result<std::vector<Segment>> {
    std::vector<Segment> segments = read_segments(database, job_id);
    if (segments.empty()) return jobs::no_such_job(job_id);
    return segments;
  });
}

Result<jobs::JobPage> SqliteStore::list(const std::optional<std::string>& tenant,
                                        const jobs::ListQuery& query) {
  const Result<std::int64_t> before = jobs::cursor_from_text(query.cursor);
  if (!before) return before.failure();
  return reading([&](Database& database) -> Result<jobs::JobPage> {
    Statement rows =
        database.prepare(list_query(tenant.has_value(), query.status.has_value()).c_str());
    int index = 0;
    rows.bind_at(++index, *before);
    if (tenant) rows.bind_at(++index, *tenant);
    if (query.status) rows.bind_at(++index, name_of(*query.status));
    rows.bind_at(++index, query.limit + 1);
    jobs::JobPage page;
    std::int64_t last = 0;
    while (rows.step()) {
      if (std::ssize(page.jobs) == query.limit) {
        page.next_cursor = std::to_string(last);
        break;
      }
      page.jobs.push_back(read_job(rows));
      last = rows.integer(kSeqColumn);
    }
    return page;
  });
}

Result<std::int64_t> SqliteStore::queued() {
  return reading([](Database& database) -> Result<std::int64_t> {
    const Prepared row = database.use(kCountQueued);
    row->step();
    return row->integer(0);
  });
}

namespace {

std::optional<jobs::Receipt> find_receipt(Database& database, const std::string& tenant,
                                          const std::string& key) {
  const Prepared row = database.use(
      "SELECT body_sha256, job_id, segments FROM receipts WHERE tenant = ? AND idempotency_key = "
      "?");
  row->bind(tenant, key);
  if (!row->step()) return std::nullopt;
  return jobs::Receipt{row->text(0), {row->text(1), static_cast<int>(row->integer(2)), false}};
}

void insert_job(Database& database, const jobs::NewJob& order, std::int64_t now) {
  const Job& job = order.job;
  const Prepared row = database.use(
      "INSERT INTO jobs (id, tenant, status, spec, priority, created_at, updated_at) "
      "VALUES (?, ?, ?, ?, ?, ?, ?)");
  row->bind(job.id, job.tenant, name_of(job.status), to_json(job.spec).dump(), job.priority, now,
            now);
  row->step();
  for (const Segment& segment : order.segments) {
    const Prepared part = database.use(
        "INSERT INTO segments (job_id, idx, status, duration_seconds) VALUES (?, ?, ?, ?)");
    part->bind(job.id, segment.index, name_of(segment.status), segment.duration_seconds);
    part->step();
  }
  if (order.idempotency_key.empty()) return;
  const Prepared receipt = database.use("INSERT INTO receipts VALUES (?, ?, ?, ?, ?, ?)");
  receipt->bind(job.tenant, order.idempotency_key, order.body_sha256, job.id,
                static_cast<std::int64_t>(order.segments.size()), now);
  receipt->step();
}

}  // namespace

Result<std::optional<jobs::Receipt>> SqliteStore::receipt(const std::string& tenant,
                                                          const std::string& idempotency_key) {
  return reading([&](Database& database) -> Result<std::optional<jobs::Receipt>> {
    return find_receipt(database, tenant, idempotency_key);
  });
}

Result<jobs::AssetRecord> SqliteStore::asset(const std::string& tenant, const std::string& key) {
  return reading([&](Database& database) -> Result<jobs::AssetRecord> {
    const Prepared row = database.use(
        "SELECT client_name, category, format, size, sha256, width, height, has_alpha, "
        "duration_seconds, channels, sample_rate FROM assets WHERE tenant = ? AND key = ?");
    row->bind(tenant, key);
    if (!row->step()) return jobs::no_such_asset(key);
    jobs::AssetRecord asset;
    asset.tenant = tenant;
    asset.key = key;
    asset.client_name = row->text(0);
    asset.category = row->text(1);
    asset.format = row->text(2);
    asset.size = row->integer(3);
    asset.sha256 = row->text(4);
    asset.width = static_cast<int>(row->integer(5));
    asset.height = static_cast<int>(row->integer(6));
    asset.has_alpha = row->integer(7) != 0;
    asset.duration_seconds = row->number(8);
    asset.channels = static_cast<int>(row->integer(9));
    asset.sample_rate = static_cast<int>(row->integer(10));
    return asset;
  });
}

Status SqliteStore::probe() {
  Status readable = reading([](Database& database) -> Status {
    database.use("SELECT 1 FROM jobs LIMIT 1")->step();
    return ok_status();
  });
  if (!readable) return readable;
  return writing([](Database& database) -> Status {
    const Transaction writable(database);
    return ok_status();
  });
}

Result<jobs::Submitted> SqliteStore::create(const jobs::NewJob& order, std::int64_t queued_max) {
  return writing([&](Database& database) -> Result<jobs::Submitted> {
    Transaction transaction(database);
    if (!order.idempotency_key.empty()) {
      const auto seen = find_receipt(database, order.job.tenant, order.idempotency_key);
      if (seen) return jobs::replay(*seen, order.body_sha256);
    }
    const Prepared queued = database.use(kCountQueued);
    queued->step();
    if (queued->integer(0) >= queued_max) return jobs::queue_full(queued_max);
    insert_job(database, order, now());
    transaction.commit();
    return jobs::Submitted{order.job.id, static_cast<int>(order.segments.size()), false};
  });
}

Status SqliteStore::keep_asset(const jobs::AssetRecord& asset) {
  return writing([&](Database& database) -> Status {
    const Prepared row = database.use(
        "INSERT OR REPLACE INTO assets (tenant, key, client_name, category, format, size, sha256, "
        "width, height, has_alpha, created_at, duration_seconds, channels, sample_rate) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    row->bind(asset.tenant, asset.key, asset.client_name, asset.category, asset.format, asset.size,
              asset.sha256, asset.width, asset.height, asset.has_alpha ? 1 : 0, now(),
              asset.duration_seconds, asset.channels, asset.sample_rate);
    row->step();
    return ok_status();
  });
}

}  // namespace pytoon::io
