#include "store/database.hpp"

#include <filesystem>
#include <mutex>
#include <sqlite3.h>
#include <thread>

#include "base/error.hpp"
#include "base/log.hpp"
#include "store/schema.hpp"
#include "sys/clock.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"
#include "sys/private_path.hpp"

namespace compose::store {

namespace {

constexpr std::chrono::seconds kBusyTimeout{10};

std::timed_mutex& writers() {
    static std::timed_mutex mutex;
    return mutex;
}

std::int64_t monotonic_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(sys::monotonic_now().time_since_epoch()).count();
}

}  // namespace

Query::~Query() {
    if (statement_ != nullptr) database_.give_back(sql_, statement_);
}

bool Query::step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    database_.fail(code, "use");
}

std::string_view Query::view(int column) const {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    if (text == nullptr) return {};
    return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string Query::text(int column) const {
    return std::string(view(column));
}
std::int64_t Query::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}
bool Query::null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

void Query::bind(int index, std::string_view value) {
    // A null data pointer would bind NULL, not the empty text.
    const char* data = value.data() == nullptr ? "" : value.data();
    const int code = sqlite3_bind_text64(statement_, index, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    if (code != SQLITE_OK) database_.fail(code, "use");
}

void Query::bind(int index, std::int64_t value) {
    const int code = sqlite3_bind_int64(statement_, index, value);
    if (code != SQLITE_OK) database_.fail(code, "use");
}

void Query::bind(int index, std::nullptr_t) {
    const int code = sqlite3_bind_null(statement_, index);
    if (code != SQLITE_OK) database_.fail(code, "use");
}

void Query::bind(int index, const std::optional<std::int64_t>& value) {
    if (value) return bind(index, *value);
    bind(index, nullptr);
}

Database::Turn::Turn(Database& database) : database_(database.has_turn_ ? nullptr : &database) {
    if (database_ == nullptr) return;
    // A thread that waits for itself, through two connections, is told so by SQLite.
    database_->has_turn_ = writers().try_lock_for(kBusyTimeout);
    if (!database_->has_turn_) database_ = nullptr;
}

Database::Turn::~Turn() {
    if (database_ == nullptr) return;
    database_->has_turn_ = false;
    writers().unlock();
}

Database::Database(std::string path) : path_(std::move(path)) {
    sys::make_private_file(path_);
    // SQLite would take a file shorter than its header for an empty one, and what was cut off would be forgotten.
    std::error_code ignored;
    const auto size = std::filesystem::file_size(path_, ignored);
    if (!ignored && size > 0 && size < 512) fail(SQLITE_NOTADB, "open");
    try {
        open(false, false);
        try {
            configure();
            if (read_version() != kSchemaVersion) migrate();
        } catch (const Error& error) {
            // A full or read-only disk: what needs no writing (ps, logs) must still work.
            if (error.code() == 0) throw;
            log::debug("open {} again without writing: {}", path_, error.what());
            open_without_writing();
        }
    } catch (...) {
        close();
        throw;
    }
}

Database::~Database() {
    close();
}

void Database::close() noexcept {
    for (const auto& [sql, statement] : idle_) sqlite3_finalize(statement);
    idle_.clear();
    if (handle_ != nullptr) sqlite3_close_v2(handle_);
    handle_ = nullptr;
}

void Database::open(bool private_index, bool frozen) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
    std::string name = sys::real_path(path_);  // NOFOLLOW means every component, and the state folder may be a link
    if (frozen) {
        std::string uri = "file:";
        for (const char c : name) {
            if (c == '%' || c == '?' || c == '#')
                uri += fmt::format("%{:02x}", static_cast<unsigned>(c));
            else
                uri += c;
        }
        name = uri + "?immutable=1";
        flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE;
    }
    const int code = sqlite3_open_v2(name.c_str(), &handle_, flags, nullptr);
    if (code != SQLITE_OK) fail(code, "open");
    sqlite3_busy_handler(handle_, &Database::wait_for_others, this);
    // The resident supervisor holds a connection too: small caches.
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_LOOKASIDE, nullptr, 256, 64);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    if (private_index) execute("PRAGMA locking_mode = EXCLUSIVE");
}

void Database::configure() {
    execute(
        "PRAGMA cache_size = 256; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;"
        "PRAGMA mmap_size = 0; PRAGMA trusted_schema = OFF; PRAGMA wal_autocheckpoint = 4000");
}

// A file whose log is empty can be read as it stands. Else the log's index, for whose shared file there is no room, can
// be kept in memory as long as no other process has the database open.
void Database::open_without_writing() {
    close();
    read_only_ = true;
    std::error_code missing;
    const auto log_size = std::filesystem::file_size(path_ + "-wal", missing);
    const bool log_is_empty = missing || log_size == 0;
    open(!log_is_empty, log_is_empty);
    configure();
    if (read_version() != kSchemaVersion)
        throw make_error("{} has to be made or converted, and its folder cannot be written", path_)
            .with_hint("make room on the file system, or make it writable");
}

// There may be room again by now.
void Database::become_writable() {
    if (!read_only_ || in_use_ > 0 || in_transaction()) return;
    close();
    read_only_ = false;
    try {
        open(false, false);
        configure();
        static_cast<void>(read_version());
    } catch (const Error& error) {
        if (error.code() == 0) throw;
        open_without_writing();
        throw make_error("write {}: its file system is full or read-only", path_)
            .with_code(error.code())
            .with_hint("make room on the file system, or make it writable");
    }
}

std::int64_t Database::read_version() {
    sqlite3_stmt* statement = nullptr;
    int code = sqlite3_prepare_v2(handle_, "PRAGMA user_version", -1, &statement, nullptr);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    const auto version = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    if (code != SQLITE_ROW) fail(code, "read");
    if (version < 0 || version > kSchemaVersion)
        throw make_error(ErrorKind::unavailable, "{} was written by a newer compose (format {}, this one knows {})",
                         path_, version, kSchemaVersion)
            .with_hint("use that compose, or name another folder with COMPOSE_STATE_DIR");
    return version;
}

void Database::migrate() {
    // Changing the journal mode needs the file for oneself and does not wait for it: one process at a time.
    const auto lock = sys::FileLock::acquire(path_ + ".lock", kBusyTimeout);
    if (!lock) throw make_error(ErrorKind::conflict, "{} is being converted by another process", path_);
    const auto version = read_version();
    if (version == kSchemaVersion) return;
    if (version == 0) {
        auto tables = query("SELECT count(*) FROM sqlite_schema");
        if (tables.step() && tables.integer(0) != 0)
            throw make_error(ErrorKind::invalid, "{} is a database of another program", path_)
                .with_hint("move it away, or name another folder with COMPOSE_STATE_DIR");
    }
    execute("PRAGMA journal_mode = WAL");
    execute("BEGIN IMMEDIATE");
    try {
        for (auto next = version; next < kSchemaVersion; ++next) execute(kMigrations[static_cast<std::size_t>(next)]);
        execute(fmt::format("PRAGMA user_version = {}", kSchemaVersion).c_str());
        execute("COMMIT");
    } catch (...) {
        static_cast<void>(execute_code("ROLLBACK"));
        throw;
    }
}

int Database::execute_code(const char* sql) {
    return sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
}

void Database::execute(const char* sql) {
    const int code = execute_code(sql);
    if (code != SQLITE_OK) fail(code, "use");
}

sqlite3_stmt* Database::take(const char* sql) {
    if (const auto found = idle_.find(sql); found != idle_.end()) {
        auto* statement = found->second;
        idle_.erase(found);
        ++in_use_;
        return statement;
    }
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) fail(code, "use");
    ++in_use_;
    return statement;
}

void Database::give_back(const char* sql, sqlite3_stmt* statement) noexcept {
    --in_use_;
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    if (!idle_.emplace(sql, statement).second) sqlite3_finalize(statement);
}

int Database::changes() const {
    return sqlite3_changes(handle_);
}

std::int64_t Database::last_row() const {
    return sqlite3_last_insert_rowid(handle_);
}

bool Database::in_transaction() const {
    return sqlite3_get_autocommit(handle_) == 0;
}

void Database::atomically(const std::function<void()>& body) {
    if (in_transaction()) return body();
    const Turn turn(*this);
    run("BEGIN IMMEDIATE");
    try {
        body();
        run("COMMIT");
    } catch (...) {
        if (in_transaction()) static_cast<void>(execute_code("ROLLBACK"));
        throw;
    }
}

void Database::release_memory() {
    sqlite3_db_release_memory(handle_);
}

void Database::sync() {
    sqlite3_file* log = nullptr;
    const int code = sqlite3_file_control(handle_, "main", SQLITE_FCNTL_JOURNAL_POINTER, static_cast<void*>(&log));
    if (code == SQLITE_OK && log != nullptr && log->pMethods != nullptr) {
        const int synced = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
        if (synced != SQLITE_OK) fail(synced, "write");
        return;
    }
    const int checkpoint = sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    if (checkpoint != SQLITE_OK) fail(checkpoint, "write");
}

// SQLite's own handler sleeps up to 100 ms at a time; transactions here last well below one.
int Database::wait_for_others(void* self, int attempt) noexcept {
    auto& database = *static_cast<Database*>(self);
    const auto now = monotonic_ns();
    if (attempt == 0) database.waiting_since_ns_ = now;
    if (now - database.waiting_since_ns_ > std::chrono::nanoseconds(kBusyTimeout).count()) return 0;
    const int shift = attempt < 6 ? attempt : 6;
    std::this_thread::sleep_for(std::chrono::microseconds(100) * (1 << shift));
    return 1;
}

void Database::fail(int code, const char* doing) const {
    const std::string reason = handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
    const int system = handle_ != nullptr ? sqlite3_system_errno(handle_) : 0;
    const int kind = code & 0xff;
    auto error = [&]() -> Error {
        switch (kind) {
            case SQLITE_NOTADB:
            case SQLITE_CORRUPT:
                return make_error(ErrorKind::invalid, "{} is damaged: {}", path_, reason)
                    .with_hint(
                        fmt::format("stop using this state, move {0} (with {0}-wal and {0}-shm) away and bring the "
                                    "projects up again; volumes and layers are kept",
                                    path_));
            case SQLITE_BUSY:
            case SQLITE_LOCKED:
                return make_error(ErrorKind::conflict, "{} is held by another process for more than {} s", path_,
                                  kBusyTimeout.count());
            case SQLITE_FULL:
                return make_error("write {}: no space left on the file system", path_).with_code(ENOSPC);
            case SQLITE_READONLY:
            case SQLITE_CANTOPEN:
            case SQLITE_IOERR: {
                const int cause = system != 0 ? system : kind == SQLITE_READONLY ? EROFS : EIO;
                return make_error("{} {}: {} ({})", doing, path_, reason, sys::errno_text(cause)).with_code(cause);
            }
            default:
                return make_error(kind == SQLITE_CONSTRAINT ? ErrorKind::conflict : ErrorKind::generic, "{} {}: {}",
                                  doing, path_, reason);
        }
    }();
    if (read_only_ && error.code() != 0) error.with_hint("make room on the file system, or make it writable");
    throw error;
}

}  // namespace compose::store
