#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include <gmock/gmock.h>

#include "fixture.hpp"
#include "sys/file.hpp"

namespace compose::store::test {
namespace {

using ::testing::HasSubstr;

unsigned mode_of(const std::string& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777U;
}

TEST_F(StoreTest, FoldersAndFilesAreForTheOwnerAlone) {
    Store store(layout_);
    store.insert_container(make_container("a", "a"), {}, {});
    for (const auto& path : {layout_.state, layout_.layers(), layout_.run, layout_.state + "/containers"})
        EXPECT_EQ(mode_of(path), 0700U) << path;
    for (const auto* suffix : {"", "-wal", "-shm"}) EXPECT_EQ(mode_of(layout_.database() + suffix), 0600U) << suffix;
}

TEST_F(StoreTest, RefusesFoldersThatOthersMayWrite) {
    ASSERT_EQ(::chmod(layout_.state.c_str(), 0777), 0);
    const auto error = error_of([&] { layout_.prepare(); });
    EXPECT_EQ(error.kind(), ErrorKind::unavailable);
    EXPECT_THAT(error.what(), HasSubstr("can be written by others"));
    ASSERT_EQ(::chmod(layout_.state.c_str(), 0700), 0);
    if (::geteuid() == 0) {
        ASSERT_EQ(::chown(layout_.state.c_str(), 1234, 1234), 0);
        EXPECT_THAT(error_of([&] { layout_.prepare(); }).what(), HasSubstr("belongs to user 1234"));
    }
}

TEST_F(StoreTest, KeepsItsIdentity) {
    const auto id = Store(layout_).installation_id();
    EXPECT_EQ(id.size(), 8U);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_EQ(Store(layout_).installation_id(), id);
}

TEST_F(StoreTest, AnEmptyFileIsANewDatabase) {
    sys::write_file(layout_.database(), "", 0600);
    Store store(layout_);
    EXPECT_TRUE(store.containers("").empty());
}

TEST_F(StoreTest, SaysThatGarbageIsNoDatabase) {
    for (const auto& content :
         {std::string(10, 'x'), std::string(100'000, 'y'), std::string("SQLite format 3\0 broken", 23)}) {
        sys::write_file(layout_.database(), content, 0600);
        const auto error = error_of([&] { Store store(layout_); });
        EXPECT_THAT(error.what(), HasSubstr(layout_.database() + " is damaged"));
        EXPECT_THAT(error.hint(), HasSubstr("move " + layout_.database()));
    }
}

TEST_F(StoreTest, FindsDamageInTheMiddle) {
    {
        Store store(layout_);
        for (int i = 0; i < 200; ++i)
            store.insert_container(make_container(std::to_string(i), "c" + std::to_string(i)), {}, {});
    }
    const auto whole = sys::read_file(layout_.database());
    int errors = 0;
    for (std::size_t at = 0; at < whole.size(); at += 1777) {
        auto broken = whole;
        for (std::size_t i = at; i < std::min(at + 64, broken.size()); ++i)
            broken[i] = static_cast<char>(broken[i] ^ 0x5a);
        sys::write_file(layout_.database(), broken, 0600);
        try {
            Store store(layout_);
            static_cast<void>(store.containers(""));
            store.insert_container(make_container("new", "new"), {}, {});
        } catch (const Error& error) {
            ++errors;
            EXPECT_THAT(error.what(), HasSubstr("state.db"));
        }
        for (const auto* suffix : {"-wal", "-shm"}) sys::remove_file(layout_.database() + suffix);
    }
    EXPECT_GT(errors, 0);
    for (std::size_t size = 1; size < whole.size(); size += 4999) {
        sys::write_file(layout_.database(), whole.substr(0, size), 0600);
        EXPECT_THROW(
            {
                Store store(layout_);
                static_cast<void>(store.containers(""));
            },
            Error)
            << size;
        for (const auto* suffix : {"-wal", "-shm"}) sys::remove_file(layout_.database() + suffix);
    }
}

TEST_F(StoreTest, RefusesTheFormatOfANewerCompose) {
    { Store store(layout_); }
    // user_version lies at offset 60 of the header, big-endian.
    std::fstream file(layout_.database(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(60);
    file.write("\0\0\0\x63", 4);
    file.close();
    const auto error = error_of([&] { Store store(layout_); });
    EXPECT_EQ(error.kind(), ErrorKind::unavailable);
    EXPECT_THAT(error.what(), HasSubstr("written by a newer compose (format 99"));
}

TEST_F(StoreTest, RefusesAFileThatIsNone) {
    std::filesystem::create_directory(layout_.database());
    EXPECT_THAT(error_of([&] { Store store(layout_); }).what(), HasSubstr("is not a regular file"));
    std::filesystem::remove(layout_.database());
    std::filesystem::create_symlink("/etc/passwd", layout_.database());
    EXPECT_THAT(error_of([&] { Store store(layout_); }).what(), HasSubstr("is not a regular file"));
    std::filesystem::remove(layout_.database());
    sys::write_file(layout_.database(), "", 0600);
    ASSERT_EQ(::chmod(layout_.database().c_str(), 0666), 0);
    EXPECT_THAT(error_of([&] { Store store(layout_); }).what(), HasSubstr("can be written by others"));
}

/// Runs `body` in a child with a mount namespace of its own; returns what it returns.
template <class Body>
int in_own_mounts(Body body) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        int result = 100;
        try {
            if (::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0)
                result = body();
        } catch (const std::exception& error) {
            std::fprintf(stderr, "%s\n", error.what());
            result = 101;
        }
        ::_exit(result);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 102;
}

TEST_F(StoreTest, ReadsOnAReadOnlyFileSystem) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    const auto state = layout_.state;
    EXPECT_EQ(in_own_mounts([&] {
                  if (::mount("tmpfs", state.c_str(), "tmpfs", 0, "size=4m,mode=0700") != 0) return 1;
                  layout_.prepare();
                  { Store(layout_).insert_container(make_container("a", "a"), {}, {}); }
                  if (::mount("none", state.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0) return 2;
                  Store store(layout_);
                  if (store.containers("").size() != 1) return 3;
                  try {
                      store.insert_container(make_container("b", "b"), {}, {});
                      return 4;
                  } catch (const Error& error) {
                      std::fprintf(stderr, "as it should: %s\n", error.what());
                  }
                  return 0;
              }),
              0);
}

TEST_F(StoreTest, ReadsWhenTheDiskIsFull) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    const auto state = layout_.state;
    for (const bool crashed : {false, true})
        EXPECT_EQ(in_own_mounts([&] {
                      if (::mount("tmpfs", state.c_str(), "tmpfs", 0, "size=4m,mode=0700") != 0) return 1;
                      layout_.prepare();
                      if (crashed) {
                          // Leaves the log behind, as a killed process does.
                          const pid_t pid = ::fork();
                          if (pid == 0) {
                              Store store(layout_);
                              store.insert_container(make_container("a", "a"), {}, {});
                              ::_exit(0);
                          }
                          ::waitpid(pid, nullptr, 0);
                          std::filesystem::remove(layout_.database() + "-shm");
                      } else {
                          Store(layout_).insert_container(make_container("a", "a"), {}, {});
                      }
                      {
                          std::ofstream filler(state + "/filler", std::ios::binary);
                          const std::string block(4096, 'f');
                          while (filler.write(block.data(), 4096).flush()) {
                          }
                      }
                      Store store(layout_);
                      if (store.containers("").size() != 1) return 3;
                      try {
                          for (int i = 0; i < 1000; ++i)
                              store.insert_container(make_container(fmt::format("b{}", i), fmt::format("b{}", i)), {},
                                                     {});
                          return 4;
                      } catch (const Error& error) {
                          std::fprintf(stderr, "as it should: %s\n", error.what());
                      }
                      // What is left must be readable, and writable again once there is room.
                      if (store.containers("").empty()) return 5;
                      std::filesystem::remove(state + "/filler");
                      store.insert_container(make_container("c", "c"), {}, {});
                      Store(layout_).insert_container(make_container("d", "d"), {}, {});
                      return 0;
                  }),
                  0)
            << crashed;
}

TEST_F(StoreTest, SurvivesProcessesKilledWhileWriting) {
    { Store store(layout_); }
    for (int round = 0; round < 12; ++round) {
        const pid_t pid = ::fork();
        ASSERT_GE(pid, 0);
        if (pid == 0) {
            try {
                Store store(layout_);
                for (int i = 0;; ++i) {
                    const auto id = fmt::format("{}-{}-{}", round, ::getpid(), i);
                    store.transaction([&] {
                        store.insert_container(make_container(id, id), {}, {});
                        static_cast<void>(store.allocate_port(id, "tcp", "", 0, 0, 80));
                    });
                }
            } catch (...) {
                ::_exit(1);
            }
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(3 + 4 * round));
        ::kill(pid, SIGKILL);
        int status = 0;
        ::waitpid(pid, &status, 0);
        EXPECT_TRUE(WIFSIGNALED(status));
        Store store(layout_);
        EXPECT_EQ(store.containers("").size(), store.ports("").size());
    }
}

TEST_F(StoreTest, OpeningAndListingAreFast) {
    {
        Store store(layout_);
        auto network = make_network("n", "n");
        store.insert_network(network, {});
        store.transaction([&] {
            for (int i = 0; i < 500; ++i) {
                auto c = make_container(fmt::format("{:064}", i), fmt::format("p-web-{}", i));
                for (int l = 0; l < 12; ++l)
                    c.labels.emplace(fmt::format("com.docker.compose.label-{}", l), std::string(30, 'v'));
                c.config.spec = std::string(6000, 's');
                Endpoint endpoint;
                endpoint.network_id = "n";
                endpoint.address = store.allocate_address(network, "");
                endpoint.aliases = {"web", c.name};
                store.insert_container(c, std::span(&endpoint, 1), {});
                static_cast<void>(store.allocate_port(c.id, "tcp", "", 0, 0, 80));
            }
        });
    }
    const auto measure = [](const char* what, auto body) {
        auto best = std::chrono::nanoseconds::max();
        for (int i = 0; i < 5; ++i) {
            const auto start = std::chrono::steady_clock::now();
            body();
            best = std::min<std::chrono::nanoseconds>(best, std::chrono::steady_clock::now() - start);
        }
        std::printf("%s: %.3f ms\n", what, static_cast<double>(best.count()) / 1e6);
        return best;
    };
    Store other(layout_);
    // Generous bounds for a loaded machine and a debug build: they catch what grows with the square, not milliseconds.
    EXPECT_LT(measure("open", [&] { Store store(layout_); }), std::chrono::milliseconds(200));
    Store store(layout_);
    EXPECT_LT(measure("ps",
                      [&] {
                          EXPECT_EQ(store.containers_without_spec("p").size(), 500U);
                          EXPECT_EQ(store.ports("p").size(), 500U);
                          EXPECT_EQ(store.endpoints("p").size(), 500U);
                      }),
              std::chrono::milliseconds(500));
    EXPECT_LT(measure("containers with spec", [&] { EXPECT_EQ(store.containers("p").size(), 500U); }),
              std::chrono::milliseconds(500));
}

TEST_F(StoreTest, AProjectLockNamesItsHolder) {
    using std::chrono::milliseconds;
    std::optional<ProjectLock> lock(std::in_place, layout_, "p", "compose up -d", milliseconds(0));
    const auto error = error_of([&] { ProjectLock second(layout_, "p", "compose down", milliseconds(30)); });
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
    EXPECT_STREQ(error.what(), fmt::format("project p is busy: `compose up -d` (pid {}) holds it", ::getpid()).c_str());
    ProjectLock other(layout_, "q", "compose up", milliseconds(0));
    std::thread releases([&] {
        std::this_thread::sleep_for(milliseconds(50));
        lock.reset();
    });
    ProjectLock waits(layout_, "p", "compose down", milliseconds(5000));
    releases.join();
    EXPECT_THROW(ProjectLock(layout_, "../x", "c", milliseconds(0)), Error);
}

TEST_F(StoreTest, AProjectLockEndsWithItsHolder) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        try {
            ProjectLock lock(layout_, "p", "compose up", std::chrono::milliseconds(0));
            ::pause();
        } catch (...) {
        }
        ::_exit(1);
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!sys::FileLock::held(layout_.project_lock("p")) && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    ProjectLock lock(layout_, "p", "compose down", std::chrono::milliseconds(0));
    // The folder goes away with the project, while others may wait for the lock in it.
    std::filesystem::remove_all(layout_.project_run("p"));
    ProjectLock again(layout_, "p", "compose up", std::chrono::milliseconds(0));
    EXPECT_TRUE(sys::FileLock::held(layout_.project_lock("p")));
}

TEST_F(StoreTest, EveryProcessSeesTheGeneration) {
    Generation mine(layout_);
    EXPECT_EQ(mine.value(), 0U);
    std::vector<pid_t> children;
    for (int i = 0; i < 4; ++i) {
        const pid_t pid = ::fork();
        if (pid == 0) {
            Generation theirs(layout_);
            for (int n = 0; n < 1000; ++n) theirs.bump();
            ::_exit(0);
        }
        children.push_back(pid);
    }
    for (const auto pid : children) ::waitpid(pid, nullptr, 0);
    EXPECT_EQ(mine.value(), 4000U);
}

}  // namespace
}  // namespace compose::store::test
