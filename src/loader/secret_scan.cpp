#include "loader/secret_scan.hpp"

#include <algorithm>
#include <array>

#include "base/strings.hpp"

namespace compose {

namespace {

constexpr std::size_t kMaxFound = 100;

bool is_alnum(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool is_upper_alnum(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool is_word(char c) {
    return is_alnum(c) || c == '_' || c == '-';
}
bool is_base64(char c) {
    return is_alnum(c) || c == '+' || c == '/';
}

struct TokenForm {
    const char* type;
    std::string_view prefix;
    std::size_t rest;  // so many characters after the prefix at least; exactly so many when `exact`
    bool (*takes)(char);
    bool exact = false;
};

constexpr std::array kTokens{
    TokenForm{"AWS Client ID", "AKIA", 16, is_upper_alnum, true},
    TokenForm{"AWS Client ID", "ASIA", 16, is_upper_alnum, true},
    TokenForm{"AWS Client ID", "AGPA", 16, is_upper_alnum, true},
    TokenForm{"AWS Client ID", "AIDA", 16, is_upper_alnum, true},
    TokenForm{"AWS Client ID", "AROA", 16, is_upper_alnum, true},
    TokenForm{"AWS Client ID", "A3T", 17, is_upper_alnum, true},
    TokenForm{"Github authentication", "ghp_", 36, is_alnum},
    TokenForm{"Github authentication", "gho_", 36, is_alnum},
    TokenForm{"Github authentication", "ghu_", 36, is_alnum},
    TokenForm{"Github authentication", "ghs_", 36, is_alnum},
    TokenForm{"Github authentication", "ghr_", 36, is_alnum},
    TokenForm{"Github authentication", "github_pat_", 22, is_word},
    TokenForm{"Gitlab authentication", "glpat-", 20, is_word},
    TokenForm{"Docker Hub authentication", "dckr_pat_", 20, is_word},
    TokenForm{"Slack token", "xoxb-", 10, is_word},
    TokenForm{"Slack token", "xoxp-", 10, is_word},
    TokenForm{"Slack token", "xoxa-", 10, is_word},
    TokenForm{"Slack token", "xoxs-", 10, is_word},
    TokenForm{"Google API key", "AIza", 35, is_word},
    TokenForm{"Stripe key", "sk_live_", 16, is_alnum},
    TokenForm{"Stripe key", "rk_live_", 16, is_alnum},
    TokenForm{"npm token", "npm_", 36, is_alnum},
    TokenForm{"PyPI token", "pypi-", 32, is_word},
    TokenForm{"Hugging Face token", "hf_", 30, is_alnum},
    TokenForm{"DigitalOcean token", "dop_v1_", 64, is_alnum},
    TokenForm{"API key", "sk-ant-", 20, is_word},
    TokenForm{"API key", "sk-proj-", 20, is_word},
};

std::string shortened(std::string_view value) {
    const auto shown = std::min<std::size_t>(value.size() / 4, 8);
    return std::string(value.substr(0, shown)) + "...";
}

std::size_t run_of(std::string_view text, bool (*takes)(char)) {
    return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), takes) - text.begin());
}

class LineScan {
public:
    LineScan(std::string_view line, std::uint32_t number, std::vector<FoundSecret>& out)
        : line_(line), lower_(lower(line)), number_(number), out_(out) {}

    void run() {
        if (line_.find("-----BEGIN ") != std::string_view::npos &&
            line_.find("PRIVATE KEY-----") != std::string_view::npos)
            add("Private Key", line_.substr(line_.find("-----BEGIN ")));
        for (std::size_t at = 0; at < line_.size(); ++at) {
            if (at > 0 && is_alnum(line_[at - 1])) continue;
            find_token(at);
            find_web_token(at);
        }
        find_cloud_key();
        find_login();
    }

private:
    void add(std::string type, std::string_view value) {
        if (out_.size() < kMaxFound) out_.push_back({std::move(type), number_, shortened(value)});
    }

    void find_token(std::size_t at) {
        const auto rest = line_.substr(at);
        for (const auto& form : kTokens) {
            if (!rest.starts_with(form.prefix)) continue;
            const auto length = run_of(rest.substr(form.prefix.size()), form.takes);
            const auto after = form.prefix.size() + length;
            const bool ends = after == rest.size() || !is_alnum(rest[after]);
            if (form.exact ? length == form.rest && ends : length >= form.rest)
                return add(form.type, rest.substr(0, after));
        }
    }

    /// Three parts with points between them, the first two of JSON in base64.
    void find_web_token(std::size_t at) {
        const auto rest = line_.substr(at);
        if (!rest.starts_with("eyJ")) return;
        const auto first = run_of(rest, is_word);
        if (!rest.substr(first).starts_with(".eyJ")) return;
        const auto second = first + 1 + run_of(rest.substr(first + 1), is_word);
        if (second >= rest.size() || rest[second] != '.') return;
        if (const auto third = run_of(rest.substr(second + 1), is_word); third >= 10)
            add("JSON Web Token", rest.substr(0, second + 1 + third));
    }

    /// 40 characters that say nothing by themselves, on a line that speaks of AWS.
    void find_cloud_key() {
        if (lower_.find("aws") == std::string::npos || lower_.find("secret") == std::string::npos) return;
        for (std::size_t at = 0; at < line_.size();) {
            const auto length = run_of(line_.substr(at), is_base64);
            if (length == 40) return add("AWS Secret Key", line_.substr(at, length));
            at += std::max<std::size_t>(length, 1);
        }
    }

    /// "postgres://user:password@host"
    void find_login() {
        for (auto at = line_.find("://"); at != std::string_view::npos; at = line_.find("://", at + 3)) {
            const auto rest = line_.substr(at + 3);
            const auto login = rest.substr(0, rest.find_first_of("/?#\"' \t"));
            const auto host = login.rfind('@');
            const auto colon = login.find(':');
            if (host == std::string_view::npos || colon == std::string_view::npos || colon + 1 >= host) continue;
            const auto password = login.substr(colon + 1, host - colon - 1);
            if (password.find('$') == std::string_view::npos) add("Password in an address", password);
        }
    }

    std::string_view line_;
    std::string lower_;
    std::uint32_t number_;
    std::vector<FoundSecret>& out_;
};

}  // namespace

std::vector<FoundSecret> find_secrets(std::string_view text) {
    std::vector<FoundSecret> out;
    std::uint32_t number = 0;
    while (!text.empty() && out.size() < kMaxFound) {
        const auto end = std::min(text.find('\n'), text.size());
        LineScan(text.substr(0, end), ++number, out).run();
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

bool is_called_like_a_secret(std::string_view name) {
    auto plain = lower(name);
    std::erase_if(plain, [](char c) { return c == '_' || c == '-' || c == '.'; });
    static constexpr std::array<std::string_view, 14> kWords{
        "password", "passwd",    "passphrase", "pwd",        "secret", "token",     "apikey",
        "authkey",  "accesskey", "privatekey", "credential", "dbpass", "mysqlpass", "signingkey"};
    return std::any_of(kWords.begin(), kWords.end(),
                       [&](std::string_view word) { return plain.find(word) != std::string::npos; });
}

}  // namespace compose
