#include <algorithm>

#include <fmt/format.h>

#include "base/strings.hpp"
#include "net/dns_server.hpp"

namespace compose::net {
namespace {

constexpr std::size_t kMaxNameservers = 3;  // as every resolver has it
const std::string kOurs = "127.0.0.11";

std::vector<std::string> words_of(std::string_view line) {
    std::vector<std::string> words;
    std::string word;
    for (const char c : line) {
        if (c == ' ' || c == '\t' || c == '\r') {
            if (!word.empty()) words.push_back(std::exchange(word, {}));
        } else {
            word.push_back(c);
        }
    }
    if (!word.empty()) words.push_back(word);
    return words;
}

// Nothing that could begin a line of its own in a generated file.
bool is_word(const std::string& text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > ' ' && c != 127; });
}

std::string line_of(std::string_view key, const std::vector<std::string>& words) {
    std::string line(key);
    for (const std::string& word : words) {
        if (is_word(word)) line += " " + word;
    }
    return line.size() == key.size() ? std::string() : line + "\n";
}

}  // namespace

ResolvConf parse_resolv_conf(std::string_view text) {
    ResolvConf conf;
    for (const std::string& line : split(text, '\n')) {
        std::vector<std::string> words = words_of(line);
        if (words.size() < 2 || words[0][0] == '#' || words[0][0] == ';') continue;
        const std::string key = words[0];
        words.erase(words.begin());
        // A comment may follow on the line.
        const auto comment = std::find_if(words.begin(), words.end(),
                                          [](const std::string& word) { return word[0] == '#' || word[0] == ';'; });
        words.erase(comment, words.end());
        if (words.empty()) continue;
        if (key == "nameserver" && conf.nameservers.size() < kMaxNameservers) conf.nameservers.push_back(words[0]);
        if (key == "search" || key == "domain") conf.search = words;  // the last one counts
        // Not the host's ndots: it would have search domains answer before the containers' names do.
        std::erase_if(words, [](const std::string& word) { return word.starts_with("ndots:"); });
        if (key == "options") conf.options.insert(conf.options.end(), words.begin(), words.end());
    }
    return conf;
}

std::string render_resolv_conf(const ResolvConf& conf) {
    // With ndots:0 a name is first asked for as it is: a search domain that answers everything can't take `db` from us.
    std::vector<std::string> options;
    for (const std::string& option : conf.options) {
        if (!option.starts_with("ndots:")) options.push_back(option);
    }
    const auto given = std::find_if(conf.options.begin(), conf.options.end(),
                                    [](const std::string& option) { return option.starts_with("ndots:"); });
    options.push_back(given != conf.options.end() ? *given : "ndots:0");
    std::string search;
    if (!(conf.search.size() == 1 && conf.search[0] == ".")) search = line_of("search", conf.search);
    return "nameserver " + kOurs + "\n" + search + line_of("options", options);
}

std::string render_hosts(const std::vector<HostsEntry>& extra) {
    std::string text =
        "127.0.0.1\tlocalhost\n"
        "::1\tlocalhost ip6-localhost ip6-loopback\n"
        "fe00::\tip6-localnet\n"
        "ff00::\tip6-mcastprefix\n"
        "ff02::1\tip6-allnodes\n"
        "ff02::2\tip6-allrouters\n";
    for (const HostsEntry& entry : extra) {
        std::vector<std::string> names;
        std::copy_if(entry.names.begin(), entry.names.end(), std::back_inserter(names), is_word);
        if (is_word(entry.address) && !names.empty()) text += entry.address + "\t" + join(names, " ") + "\n";
    }
    return text;
}

}  // namespace compose::net
