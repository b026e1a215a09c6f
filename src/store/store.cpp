#include "store/store.hpp"

#include "store/impl.hpp"

namespace compose::store {

Store::Store(Layout layout) : impl_(std::make_unique<Impl>(std::move(layout))) {
    auto row = impl_->db.query("SELECT value FROM meta WHERE key = 'installation'");
    if (!row.step()) throw make_error(ErrorKind::invalid, "{} is damaged: it has no identity", impl_->db.path());
    impl_->installation = row.text(0);
}

Store::~Store() = default;
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;

const Layout& Store::layout() const {
    return impl_->layout;
}
const std::string& Store::installation_id() const {
    return impl_->installation;
}

void Store::transaction(const std::function<void()>& body) {
    if (impl_->db.in_transaction()) throw Error("a transaction inside a transaction");
    impl_->db.atomically(body);
}

void Store::sync() {
    impl_->db.sync();
}

std::string name_some(const std::vector<std::string>& names) {
    constexpr std::size_t kShown = 3;
    std::string out;
    for (std::size_t i = 0; i < names.size() && i < kShown; ++i) {
        if (i > 0) out += i + 1 == names.size() ? " and " : ", ";
        out += names[i];
    }
    if (names.size() > kShown) out += fmt::format(" and {} more", names.size() - kShown);
    return out;
}

}  // namespace compose::store
