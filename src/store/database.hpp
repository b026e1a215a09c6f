// One SQLite connection: opening, the schema and its versions, statements that are prepared once, transactions, and
// SQLite's result codes as errors that name the file. Knows no table but `meta`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>

struct sqlite3;
struct sqlite3_stmt;

namespace compose::store {

class Database;

/// A statement in use. Goes back to the connection's cache when destroyed.
class Query {
public:
    Query(Database& database, const char* sql, sqlite3_stmt* statement)
        : database_(database), sql_(sql), statement_(statement) {}
    Query(Query&& other) noexcept
        : database_(other.database_), sql_(other.sql_), statement_(std::exchange(other.statement_, nullptr)) {}
    Query& operator=(Query&&) = delete;
    ~Query();

    /// True: a row is there.
    bool step();
    [[nodiscard]] std::string text(int column) const;
    [[nodiscard]] std::string_view view(int column) const;  // valid until the next step
    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] int number(int column) const { return static_cast<int>(integer(column)); }
    [[nodiscard]] bool boolean(int column) const { return integer(column) != 0; }
    [[nodiscard]] bool null(int column) const;

    void bind(int index, std::string_view value);
    void bind(int index, std::int64_t value);
    void bind(int index, std::nullptr_t);
    void bind(int index, const std::optional<std::int64_t>& value);

private:
    Database& database_;
    const char* sql_;
    sqlite3_stmt* statement_;
};

class Database {
public:
    /// Opens or makes the file and brings its schema up to date.
    explicit Database(std::string path);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    /// `sql` must be a literal: its address is the key of the cache.
    template <class... Args>
    [[nodiscard]] Query query(const char* sql, const Args&... args) {
        Query result(*this, sql, take(sql));
        int index = 0;
        (bind_one(result, ++index, args), ...);
        return result;
    }
    /// Runs to the end; returns the number of rows changed.
    template <class... Args>
    int run(const char* sql, const Args&... args) {
        become_writable();
        const Turn turn(*this);
        {
            auto statement = query(sql, args...);
            while (statement.step()) {
            }
        }
        return changes();
    }

    /// Runs `body` in an immediate transaction, or as part of the one that is open already.
    void atomically(const std::function<void()>& body);
    [[nodiscard]] bool in_transaction() const;
    /// The INTEGER PRIMARY KEY of the row that was inserted last.
    [[nodiscard]] std::int64_t last_row() const;
    /// Gives the page cache back, after a long read.
    void release_memory();
    /// Writes the log to the disk.
    void sync();
    [[nodiscard]] const std::string& path() const { return path_; }
    /// The text of a result code with the file's name and what to do.
    [[noreturn]] void fail(int code, const char* doing) const;

private:
    friend class Query;
    /// Who writes holds it, so that the threads of one process take turns. SQLite's locks only let them ask again and
    /// again.
    class Turn {
    public:
        explicit Turn(Database& database);
        ~Turn();
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;

    private:
        Database* database_;  // null when a caller has the turn already
    };
    template <class T>
    static void bind_one(Query& query, int index, const T& value) {
        if constexpr (std::is_same_v<T, bool> || std::is_integral_v<T>)
            query.bind(index, static_cast<std::int64_t>(value));
        else if constexpr (std::is_same_v<T, std::optional<std::int64_t>>)
            query.bind(index, value);
        else if constexpr (std::is_same_v<T, std::nullptr_t>)
            query.bind(index, nullptr);
        else
            query.bind(index, std::string_view(value));
    }

    void open(bool private_index, bool frozen);
    void configure();
    void open_without_writing();
    void become_writable();
    void migrate();
    void execute(const char* sql);
    int execute_code(const char* sql);
    [[nodiscard]] std::int64_t read_version();
    void close() noexcept;
    [[nodiscard]] sqlite3_stmt* take(const char* sql);
    void give_back(const char* sql, sqlite3_stmt* statement) noexcept;
    [[nodiscard]] int changes() const;
    static int wait_for_others(void* self, int attempt) noexcept;

    std::string path_;
    sqlite3* handle_ = nullptr;
    std::unordered_map<const char*, sqlite3_stmt*> idle_;
    std::int64_t waiting_since_ns_ = 0;
    int in_use_ = 0;  // statements taken and not given back
    bool has_turn_ = false;
    bool read_only_ = false;  // opened by open_without_writing()
};

}  // namespace compose::store
