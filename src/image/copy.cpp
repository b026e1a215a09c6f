#include "image/copy.hpp"

#include <set>

#include "base/error.hpp"
#include "image/fetch.hpp"

namespace compose::image {

namespace {

constexpr int kMaxDepth = 3;  // lists in lists
constexpr std::size_t kMaxDocuments = 1000;

class Copier {
public:
    Copier(Registry& from, Registry& to, const ContentStore& blobs) : from_(from), to_(to), blobs_(blobs) {}

    Descriptor document(const std::string& name, int depth) {
        if (depth > kMaxDepth || ++documents_ > kMaxDocuments)
            throw Error("it is a list of lists without end", ErrorKind::invalid);
        const auto reply = from_.manifest(name);
        const auto parsed = parse_artifact(reply.text, reply.media_type);
        Descriptor out;
        out.digest = reply.digest;
        out.size = static_cast<std::int64_t>(reply.text.size());
        if (const auto* index = std::get_if<Index>(&parsed)) {
            out.media_type = index->media_type;
            for (const auto& entry : index->manifests)
                if (done_.insert(entry.digest).second) (void)document(entry.digest, depth + 1);
        } else {
            const auto& manifest = std::get<Manifest>(parsed);
            out.media_type = manifest.media_type;
            blob(manifest.config);
            for (const auto& layer : manifest.layers) blob(layer);
        }
        (void)to_.put_manifest(out.digest, reply.text, out.media_type);
        return out;
    }

private:
    void blob(const Descriptor& wanted) {
        if (!done_.insert(wanted.digest).second || to_.has_blob(wanted.digest) || mounted(wanted)) return;
        fetch_blob(from_, blobs_, wanted);
        const auto file = blobs_.open(wanted.digest);
        if (!file) throw make_error(ErrorKind::not_found, "blob {} is not here", wanted.digest);
        to_.upload_blob(wanted.digest, *file, wanted.size, {});
    }

    bool mounted(const Descriptor& wanted) {
        if (from_.reference().registry != to_.reference().registry) return false;
        try {
            return to_.mount_blob(wanted.digest, from_.reference().repository);
        } catch (const Error&) {
            to_.interrupt().check();  // that it can't be had that way is no failure: it is sent then
            return false;
        }
    }

    Registry& from_;
    Registry& to_;
    const ContentStore& blobs_;
    std::set<std::string> done_;
    std::size_t documents_ = 0;
};

}  // namespace

Descriptor copy_image(Registry& from, Registry& to, const ContentStore& blobs) {
    const auto& reference = from.reference();
    return Copier(from, to, blobs).document(reference.digest.empty() ? reference.tag : reference.digest, 0);
}

}  // namespace compose::image
