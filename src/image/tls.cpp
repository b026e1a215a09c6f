// The TLS half of stream.hpp, over OpenSSL with memory BIOs: the bytes themselves go through the stream below.
#include <array>
#include <cstdlib>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "image/connection_error.hpp"
#include "image/stream.hpp"
#include "sys/file.hpp"
#include "sys/inet.hpp"

namespace compose::image {

namespace {

// Where the distributions keep the roots in one file.
constexpr std::array kRootFiles{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                "/etc/ssl/ca-bundle.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
                                "/etc/ssl/cert.pem"};
constexpr std::size_t kRecord = std::size_t{64} << 10U;

std::string last_openssl_error() {
    std::array<char, 256> text{};
    const auto code = ::ERR_get_error();
    if (code == 0) return "unknown reason";
    ::ERR_error_string_n(code, text.data(), text.size());
    const std::string line = text.data();
    ::ERR_clear_error();
    return line.substr(line.rfind(':') + 1);
}

/// OpenSSL's own file functions would take paths of the host that the static build has no use for: read it here.
void add_roots(SSL_CTX* context, const std::string& path) {
    const auto text = sys::read_file(path);
    const std::unique_ptr<BIO, decltype(&::BIO_free)> bio(::BIO_new_mem_buf(text.data(), static_cast<int>(text.size())),
                                                          &::BIO_free);
    auto* store = ::SSL_CTX_get_cert_store(context);
    int count = 0;
    while (X509* certificate = ::PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
        ::X509_STORE_add_cert(store, certificate);
        ::X509_free(certificate);
        ++count;
    }
    ::ERR_clear_error();
    if (count == 0) throw make_error(ErrorKind::invalid, "{} has no certificate", path);
}

void set_client(SSL_CTX* context, const TlsTrust::Files& files) {
    if (::SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1)
        throw make_error(ErrorKind::invalid, "{}: {}", files.certificate, last_openssl_error());
    if (::SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1)
        throw make_error(ErrorKind::invalid, "{}: {}", files.key, last_openssl_error());
}

}  // namespace

TlsTrust::TlsTrust(const Files& files) {
    auto* context = ::SSL_CTX_new(::TLS_client_method());
    if (context == nullptr) throw Error("TLS is not available");
    context_ = context;
    ::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    ::SSL_CTX_set_verify(context, files.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    try {
        if (!files.roots_file.empty()) {
            add_roots(context, files.roots_file);
        } else {
            for (const char* path : kRootFiles)
                if (sys::exists(path)) {
                    add_roots(context, path);
                    break;
                }
        }
        for (const auto& path : files.extra_roots) add_roots(context, path);
        if (!files.certificate.empty()) set_client(context, files);
    } catch (...) {
        ::SSL_CTX_free(context);
        throw;
    }
}

TlsTrust::~TlsTrust() {
    ::SSL_CTX_free(static_cast<SSL_CTX*>(context_));
}

class TlsStream final : public Stream {
public:
    TlsStream(std::unique_ptr<Stream> below, const TlsTrust& trust, std::string host, std::string authority)
        : below_(std::move(below)),
          host_(std::move(host)),
          authority_(std::move(authority)),
          buffer_(kRecord),
          ssl_(::SSL_new(static_cast<SSL_CTX*>(trust.context_)), &::SSL_free) {
        if (!ssl_) throw Error("TLS is not available");
        in_ = ::BIO_new(::BIO_s_mem());
        out_ = ::BIO_new(::BIO_s_mem());
        ::SSL_set_bio(ssl_.get(), in_, out_);  // owns both
        ::SSL_set_hostflags(ssl_.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        if (sys::InetAddress::parse(host_, 1)) {
            ::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(ssl_.get()), host_.c_str());
        } else {
            ::SSL_set1_host(ssl_.get(), host_.c_str());
            ::SSL_set_tlsext_host_name(ssl_.get(), host_.c_str());
        }
        ::SSL_set_connect_state(ssl_.get());
        handshake();
    }
    ~TlsStream() override = default;
    TlsStream(const TlsStream&) = delete;
    TlsStream& operator=(const TlsStream&) = delete;

    std::size_t read(std::span<char> buffer) override {
        for (;;) {
            ::ERR_clear_error();
            std::size_t size = 0;
            if (::SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &size) == 1) return size;
            const int why = ::SSL_get_error(ssl_.get(), 0);
            if (why == SSL_ERROR_ZERO_RETURN) return 0;
            if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
                throw ConnectionError(fmt::format("TLS with {}: {}", host_, last_openssl_error()));
            flush();
            // A stream that ends without saying so may have been cut by anyone.
            if (!fill()) throw ConnectionError(fmt::format("{} has cut the connection", host_));
        }
    }

    void write(std::string_view bytes) override {
        while (!bytes.empty()) {
            ::ERR_clear_error();
            std::size_t size = 0;
            const auto piece = bytes.substr(0, kRecord);
            if (::SSL_write_ex(ssl_.get(), piece.data(), piece.size(), &size) == 1) {
                bytes.remove_prefix(size);
                flush();
                continue;
            }
            const int why = ::SSL_get_error(ssl_.get(), 0);
            flush();
            if (why != SSL_ERROR_WANT_READ || !fill())
                throw ConnectionError(fmt::format("TLS with {}: {}", host_, last_openssl_error()));
        }
    }

    // TLS 1.3 sends tickets after the handshake, which are no data: only the end of the stream matters here.
    bool stirred() override {
        while (below_->stirred()) {
            try {
                if (!fill()) return true;
            } catch (const ConnectionError&) {
                return true;
            }
            char byte = 0;
            std::size_t size = 0;
            ::ERR_clear_error();
            if (::SSL_peek_ex(ssl_.get(), &byte, 1, &size) == 1) return true;
            if (::SSL_get_error(ssl_.get(), 0) != SSL_ERROR_WANT_READ) return true;
        }
        return false;
    }

private:
    void handshake() {
        for (;;) {
            ::ERR_clear_error();
            const int done = ::SSL_do_handshake(ssl_.get());
            const int why = done == 1 ? SSL_ERROR_NONE : ::SSL_get_error(ssl_.get(), done);
            if (why == SSL_ERROR_SSL || why == SSL_ERROR_SYSCALL) fail_handshake();
            flush();
            if (done == 1) return;
            // Not one byte for an answer: a server that knows no TLS may do that.
            bool more = false;
            try {
                more = fill();
            } catch (const ConnectionError&) {
                if (answered_) throw;
                throw NotTls();
            }
            if (!more && !answered_) throw NotTls();
            if (!more)
                throw ConnectionError(fmt::format("{} has closed the connection during the TLS handshake", host_));
            answered_ = true;
        }
    }

    [[noreturn]] void fail_handshake() {
        const auto code = ::ERR_peek_error();
        const int reason = ERR_GET_REASON(code);
        if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST || reason == SSL_R_UNKNOWN_PROTOCOL ||
            reason == SSL_R_PACKET_LENGTH_TOO_LONG)
            throw NotTls();
        if (const long verdict = ::SSL_get_verify_result(ssl_.get()); verdict != X509_V_OK)
            throw make_error(ErrorKind::unavailable, "the certificate of {} is not trusted: {}", authority_,
                             lower(::X509_verify_cert_error_string(verdict)))
                .with_hint(
                    fmt::format("put the certificate of its authority into /etc/docker/certs.d/{}/ca.crt", authority_));
        throw ConnectionError(fmt::format("TLS with {}: {}", host_, last_openssl_error()));
    }

    void flush() {
        char* data = nullptr;
        const auto size = BIO_get_mem_data(out_, &data);
        if (size <= 0) return;
        const std::string pending(data, static_cast<std::size_t>(size));
        (void)BIO_reset(out_);
        below_->write(pending);
    }

    bool fill() {
        const auto size = below_->read(buffer_);
        if (size == 0) return false;
        ::BIO_write(in_, buffer_.data(), static_cast<int>(size));
        return true;
    }

    std::unique_ptr<Stream> below_;
    std::string host_, authority_;
    std::vector<char> buffer_;
    std::unique_ptr<SSL, decltype(&::SSL_free)> ssl_;
    BIO* in_ = nullptr;
    BIO* out_ = nullptr;
    bool answered_ = false;
};

std::unique_ptr<Stream> start_tls(std::unique_ptr<Stream> below, const TlsTrust& trust, const std::string& host,
                                  const std::string& authority) {
    return std::make_unique<TlsStream>(std::move(below), trust, host, authority);
}

}  // namespace compose::image
