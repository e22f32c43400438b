# cases turns the record of a run, as quire-runstate show --json prints it, into test cases:
# one for each job, {name, kind, text, seconds, commands}. kind is "passed", "failed",
# "allowed" (it failed, and the pipeline allows that) or "skipped" (it did not run or has
# not ended). If the run failed without a failed job, or has not ended, there is one more.

def seconds: capture("^(?<date>[^.]*?)(?<fraction>[.][0-9]+)?Z$")
	| (.date + "Z" | fromdate) + ("0" + (.fraction // "") | tonumber);

def duration: if .started and .finished then ((.finished | seconds) - (.started | seconds)) * 1000 | round / 1000 else 0 end;

def job_case: {
	name: .id,
	kind: (if .state == "complete" then "passed"
		elif .state == "skipped" then "skipped"
		elif .state != "failed" then "skipped"
		elif .allowed then "allowed"
		else "failed" end),
	text: (.error // (if .state == "pending" or .state == "active" then "it is \(.state)" else .reason end) // ""),
	seconds: duration,
	commands: [.commands[] | "$ \(.cmd)\nexit \(.exit // "unknown")\n"]
};

def run_case: {
	name: "run",
	text: ([(if .skipped then "skipped" else .state end), .reason, .code, .by, .note, .why] | map(select(. != null) | tostring) | join(" ")),
	seconds: 0, commands: []
};

def cases: [.jobs[] | job_case] as $jobs | $jobs +
	if .state == "complete" then []
	elif .state != "failed" or .skipped then [run_case + {kind: "skipped"}]
	elif any($jobs[]; .kind == "failed") then []
	else [run_case + {kind: "failed"}] end;

# the_run returns the only input value. It is an error if there is not exactly one.
def the_run: if length == 1 and (.[0] | type == "object" and (.jobs | type == "array")
		and all(.id, .repo, .ref, .state, .created; type == "string"))
	then .[0] else error("not a record") end;
