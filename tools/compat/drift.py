# SPDX-License-Identifier: MPL-2.0
"""Where the rules of docs/compat and the kernel's table say different things: (file, line, message) each."""

from compat.rules import references
from compat.table import FLAG_KINDS, ROWS, STRUCT_KINDS


def find(table, rules):
    for row in table.rows.values():
        if row.name not in rules.calls:
            yield ROWS, row.line, f"{row.name}: no rule in docs/compat is about this call"
        for rule in rules.calls.get(row.name, ()):
            yield from _compare_call(table, rules, row, rule)
        yield from _compare_commands(table, rules, row)
    for name, (rule, *_) in rules.calls.items():
        if name not in table.rows:
            yield rule.file, rule.line, f"{name}: {ROWS} has no row for this call"
    checked = {arg.of for row in table.rows.values() for arg in row.args if arg.kind == "FLAGS"}
    for name in sorted(set(table.sets) & (set(rules.flags) | _used_sets(table))):
        yield from _compare_flags(name, table.sets[name], rules.flags.get(name), name in checked)


def _used_sets(table):
    """Sets that the table checks or prints arguments by."""
    used = {arg.of for row in table.rows.values() for arg in row.args if arg.kind in FLAG_KINDS}
    used |= {command.of for commands in table.commands.values() for command in commands if command.of}
    return used | {of for arg in (arg for row in table.rows.values() for arg in row.args if arg.kind in STRUCT_KINDS)
                   for of in table.layouts.get(arg.of, {}).values()}


def _compare_call(table, rules, row, rule):
    """Each flag argument of the row has its set in the rule; so has each flag field of a struct."""
    patterns = dict(rule.members)
    for arg in row.args:
        pattern = patterns.get(arg.name, "")
        is_narrow = not pattern and any(patterns.values())  # another argument's value makes this one not looked at
        if arg.kind in FLAG_KINDS and arg.of not in references(pattern) and not is_narrow:
            yield rule.file, rule.line, f"{row.name}: {arg.name} is not <{arg.of}>, as the table has it"
        fields = table.layouts.get(arg.of, {}) if arg.kind in STRUCT_KINDS else {}
        structs = [struct for name in references(pattern) for struct in rules.structs.get(name, ())]
        for field, of in fields.items():
            if not structs:
                yield rule.file, rule.line, f"{row.name}: {arg.name} is no struct with {field} = <{of}>, as the table has it"
            for struct in structs:
                if of not in references(dict(struct.members).get(field, "")):
                    yield struct.file, struct.line, f"struct {struct.name}: {field} is not <{of}>, as the table has it"


def _compare_commands(table, rules, row):
    """The commands that the call's rules name are those of the table, each with its set of flags."""
    for arg in row.args:
        if arg.kind != "COMMAND":
            continue
        wanted, found = {command.name: command.of for command in table.commands.get(arg.of, ())}, {}
        for rule in rules.calls.get(row.name, ()):
            following = [pattern for name, pattern in rule.members if name not in (a.name for a in row.args[:row.args.index(arg) + 1])]
            of = (references(following[0]) if following else []) + [""]
            for word in dict(rule.members).get(arg.name, "").split("|"):
                names = rules.flags[word[1:-1]].supported if word[1:-1] in rules.flags else [word]
                found.update({name: of[0] for name in names})
        for name in sorted(set(wanted) ^ set(found)):
            yield ROWS, row.line, f"{row.name}: {name} is named by the {'table' if name in wanted else 'rules'} alone"
        for name in sorted(set(wanted) & set(found)):
            if wanted[name] != found[name]:
                yield ROWS, row.line, f"{row.name}: {name} takes <{wanted[name]}> in the table, <{found[name]}> in the rules"


def _compare_flags(name, mine, rules, is_checked):
    """Of a set that the dispatcher checks, the errno must be the set's, too; with others the handler refuses."""
    if not rules:
        yield mine.file, mine.line, f"{name}: docs/compat has no flags of this name"
        return
    for state in ("supported", "ignored", "refused"):
        wanted, found = getattr(mine, state), getattr(rules, state)
        any_number = {"<INTEGER>"} if state == "ignored" and not mine.error else set()  # bits that nobody knows
        for flag in sorted(wanted ^ (set(found) - any_number)):
            yield (*((mine.file, mine.line) if flag in wanted else (rules.file, rules.line)),
                   f"{name}: {flag} is {state} in the {'kernel' if flag in wanted else 'rules'} alone")
    for flag, error in rules.refused.items():
        if is_checked and mine.error and error != mine.error:
            yield rules.file, rules.line, f"{name}: {flag} is refused with {mine.error} by the kernel, with {error} by the rules"
