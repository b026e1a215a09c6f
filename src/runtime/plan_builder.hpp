// Appends operations to a plan under construction; shared by the files that build plans.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/launch_plan.hpp"

namespace compose::runtime {

class PlanBuilder {
public:
    PlanBuilder(const ContainerSpec& of, const HostFacts& on, Arena& in) : spec(of), facts(on), arena(in) {}

    const ContainerSpec& spec;
    const HostFacts& facts;
    Arena& arena;
    std::vector<Op> ops;
    int slots = 0;

    Op& add(OpKind kind, const std::string& what) {
        Op& op = ops.emplace_back();
        op.kind = kind;
        op.what = arena.text(what);
        return op;
    }
    [[nodiscard]] Span<Option> options(const std::vector<std::pair<std::string, std::string>>& values) {
        const Span<Option> result = arena.list<Option>(values.size());
        for (std::size_t i = 0; i < values.size(); ++i)
            result[i] = {arena.text(values[i].first),
                         values[i].second.empty() ? nullptr : arena.text(values[i].second)};
        return result;
    }
};

// plan_mounts.cpp
void plan_sources(PlanBuilder& plan);
void plan_root(PlanBuilder& plan);
void plan_default_mounts(PlanBuilder& plan);
void plan_user_mounts(PlanBuilder& plan);
void plan_protected_paths(PlanBuilder& plan);

// plan_process.cpp
void plan_limits(PlanBuilder& plan);
void plan_sysctls(PlanBuilder& plan);
void plan_process(PlanBuilder& plan, const ProcessSpec& process, LaunchPlan& result);

}  // namespace compose::runtime
