#include "image/gzip.hpp"

#include <libdeflate.h>

#include <algorithm>
#include <memory>
#include <thread>

#include "base/error.hpp"

namespace compose::image {

namespace {

constexpr std::size_t kBlock = std::size_t{1} << 20U;
constexpr int kLevel = 6;
constexpr std::size_t kMaxThreads = 8;  // each holds two blocks

std::string compress(const std::string& block) {
    const std::unique_ptr<libdeflate_compressor, decltype(&::libdeflate_free_compressor)> compressor(
        ::libdeflate_alloc_compressor(kLevel), &::libdeflate_free_compressor);
    if (!compressor) throw Error("there is no memory to compress in");
    std::string out(::libdeflate_gzip_compress_bound(compressor.get(), block.size()), '\0');
    const auto size = ::libdeflate_gzip_compress(compressor.get(), block.data(), block.size(), out.data(), out.size());
    if (size == 0) throw Error("compressing has failed");
    out.resize(size);
    return out;
}

}  // namespace

GzipSink::GzipSink(ByteSink& out, unsigned threads)
    : out_(out),
      threads_(std::clamp<std::size_t>(threads == 0 ? std::thread::hardware_concurrency() : threads, 1, kMaxThreads)) {}

void GzipSink::write(std::string_view bytes) {
    while (!bytes.empty()) {
        if (block_.capacity() < kBlock) block_.reserve(kBlock);
        const auto size = std::min(bytes.size(), kBlock - block_.size());
        block_.append(bytes.substr(0, size));
        bytes.remove_prefix(size);
        if (block_.size() == kBlock) start_block();
    }
}

void GzipSink::start_block() {
    any_ = true;
    take_finished(threads_ - 1);
    running_.push_back(std::async(std::launch::async, [block = std::move(block_)] { return compress(block); }));
    block_ = {};
}

void GzipSink::take_finished(std::size_t leave) {
    while (running_.size() > leave) {
        out_.write(running_.front().get());
        running_.pop_front();
    }
}

void GzipSink::finish() {
    if (!block_.empty() || !any_) start_block();
    take_finished(0);
}

}  // namespace compose::image
