// Texts that strangers and users hand in: references, platforms, challenges, addresses. What is accepted means the same
// when it is written out and read again.
#include "base/error.hpp"
#include "fuzz/promise.hpp"
#include "image/challenge.hpp"
#include "image/platform.hpp"
#include "image/reference.hpp"
#include "image/resolver.hpp"
#include "image/url.hpp"

namespace {

template <class Body>
void accept_or_refuse(const Body& body) {
    try {
        body();
    } catch (const compose::Error&) {  // refused
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace compose;
    const std::string text(reinterpret_cast<const char*>(data), size);
    accept_or_refuse([&] {
        const auto reference = image::parse_reference(text);
        if (image::parse_reference(reference.to_string()) != reference) fuzz::broken("a reference survives", text);
        if (image::parse_reference(reference.familiar()) != reference) fuzz::broken("its short form too", text);
        if (reference.to_string().find("..") != std::string::npos &&
            reference.repository.find("..") != std::string::npos)
            fuzz::broken("no repository climbs", text);
    });
    accept_or_refuse([&] {
        const auto platform = image::parse_platform(text);
        if (image::parse_platform(platform.to_string()) != platform) fuzz::broken("a platform survives", text);
    });
    accept_or_refuse([&] {
        const auto url = image::parse_url(text);
        if (!image::parse_url(url.text()).same_origin(url)) fuzz::broken("an address survives", text, url.text());
        for (const char c : url.text())
            if (c == '\r' || c == '\n' || c == ' ') fuzz::broken("no address breaks a header", text);
    });
    accept_or_refuse([&] { (void)image::resolve_url(image::parse_url("https://a/b/c?d"), text); });
    if (image::parse_challenges(text).size() > 16) fuzz::broken("there are not many challenges");
    const auto question = image::dns_question(1, "a.example", image::AddressKind::v4);
    (void)image::parse_dns_reply(text, question, image::AddressKind::v4);
    (void)image::parse_dns_reply(question + text, question, image::AddressKind::v6);
    return 0;
}
