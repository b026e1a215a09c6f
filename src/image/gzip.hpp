// Writing gzip: blocks of a megabyte, each compressed on its own and by several threads at once, one member after the
// other. The same bytes in give the same bytes out, whatever the number of threads.
#pragma once

#include <deque>
#include <future>
#include <string>

#include "image/byte_sink.hpp"

namespace compose::image {

class GzipSink final : public ByteSink {
public:
    explicit GzipSink(ByteSink& out, unsigned threads = 0);  // 0: as many as there are processors
    ~GzipSink() override = default;
    GzipSink(const GzipSink&) = delete;
    GzipSink& operator=(const GzipSink&) = delete;

    void write(std::string_view bytes) override;
    /// Writes what is left. A stream of nothing becomes an empty member.
    void finish();

private:
    void start_block();
    void take_finished(std::size_t leave);

    ByteSink& out_;
    std::size_t threads_;
    std::string block_;
    std::deque<std::future<std::string>> running_;
    bool any_ = false;
};

}  // namespace compose::image
