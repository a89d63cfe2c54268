# SPDX-License-Identifier: LGPL-2.1-or-later
# What a document asks its reader to type, one line each: LINE, KIND and TEXT with tabs between them. KIND is
# "hook" for what a comment <!-- test: ... --> asks of the test, "root" for a line after "# " and the name of
# somebody for one after "$ ", both in ```console blocks only (```console bob: the lines after $ are his); and
# "end" at the end of a block. Of a manual page, each .Dl line is root's.
function emit(kind, text) { printf "%d\t%s\t%s\n", FNR, kind, text }
function unroff(text) {
    gsub(/\\\(dq/, "\"", text); gsub(/\\\(aq/, "'", text); gsub(/\\-/, "-", text); gsub(/\\&/, "", text)
    return text
}
/^\.Dl / { emit("root", unroff(substr($0, 5))); emit("end", ""); next }
FILENAME ~ /\.[1-8]$/ { next }
/^ *<!-- test: .* -->$/ { sub(/^ *<!-- test: /, ""); sub(/ -->$/, ""); emit("hook", $0); next }
/^ *```console/ { inside = 1; person = $2 == "" ? "alice" : $2; indent = match($0, /`/) - 1; next }
/^ *```/ { if (inside) emit("end", ""); inside = 0; next }
inside {
    line = substr($0, indent + 1)
    if (line ~ /^# /) emit("root", substr(line, 3))
    else if (line ~ /^\$ /) emit(person, substr(line, 3))
}
