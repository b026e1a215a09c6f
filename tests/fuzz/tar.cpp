// Tar archives as layers have them: an end or an error, and never more data than the entry says.
#include "image/tar.hpp"

#include "base/error.hpp"
#include "fuzz/promise.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace compose;
    image::MemorySource source({reinterpret_cast<const char*>(data), size});
    image::TarReader reader(source);
    try {
        image::TarEntry entry;
        while (reader.next(entry)) {
            if (entry.size < 0) fuzz::broken("no entry has a negative size");
            if (entry.name.find('\0') != std::string::npos) fuzz::broken("no name has a NUL");
            std::int64_t got = 0;
            for (auto bytes = reader.data(); !bytes.empty(); bytes = reader.data()) {
                got += static_cast<std::int64_t>(bytes.size());
                reader.consume(bytes.size());
            }
            if (got > entry.size) fuzz::broken("an entry has no more data than its size");
        }
    } catch (const Error&) {  // refused
    }
    return 0;
}
