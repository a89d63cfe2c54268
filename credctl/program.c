/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options before the verb, the verb, options after it, the run, and what its result says to the
 * shell. The environment decides about looks alone (locale, time zone, NO_COLOR). */
#include "credctl/program.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "credctl/connection.h"
#include "credctl/help.h"
#include "credctl/outcome.h"
#include "credctl/output.h"
#include "credctl/verb.h"
#include "credctl/words.h"

static uint64_t now_real_usec(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_REALTIME, &now);
        return (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / 1000;
}

static int form_from_arguments(const Arguments *arguments, const Verb *verb, OutputForm *ret_form)
{
        static const char *const names[OUTPUT_FORM_MAX] = {
                [OUTPUT_TABLE] = "table", [OUTPUT_JSON] = "json", [OUTPUT_TOKEN] = "token",
                [OUTPUT_CSV] = "csv",     [OUTPUT_HTML] = "html",
        };
        bool json = arguments_flag(arguments, "json");
        const char *name = arguments_text(arguments, "output");
        OutputForm form = OUTPUT_TABLE;

        if (!name)
                name = names[json ? OUTPUT_JSON : OUTPUT_TABLE];
        while (form < OUTPUT_FORM_MAX && strcmp(name, names[form]) != 0)
                form++;
        if (form == OUTPUT_FORM_MAX)
                return words_fail(OUTCOME_USAGE,
                                  "--output %s: it is table, json, token, csv or html", name);
        if (form == OUTPUT_TOKEN && !(verb && (verb->forms & VERB_TOKENS)))
                return words_fail(OUTCOME_USAGE, "--output token: only issue has tokens to print");
        if (form > OUTPUT_TOKEN && !(verb && (verb->forms & VERB_REPORTS)))
                return words_fail(OUTCOME_USAGE, "--output %s: only audit has it", name);
        if (json && form != OUTPUT_JSON)
                return words_fail(OUTCOME_USAGE, "--json or --output %s, not both", name);
        *ret_form = form;
        return 0;
}

/* Text in less than 40 columns is no text; a terminal may not know how wide it is. */
static unsigned columns_of_terminal(void)
{
        struct winsize size = {0};

        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
                return CONTEXT_COLUMNS;
        return size.ws_col < 40 ? 40 : size.ws_col;
}

static int context_init(Context *context, const Arguments *arguments, const Verb *verb,
                        uint64_t now_usec)
{
        const char *socket = arguments_text(arguments, "socket");
        const char *no_color = getenv("NO_COLOR");

        *context = (Context){
                .socket = socket ? socket : CONNECTION_SOCKET,
                .verb = verb,
                .quiet = arguments_flag(arguments, "quiet"),
                .legend = !arguments_flag(arguments, "no-legend"),
                .stdin_terminal = isatty(STDIN_FILENO),
                .stdout_terminal = isatty(STDOUT_FILENO),
                .stderr_terminal = isatty(STDERR_FILENO),
                .columns = columns_of_terminal(),
                .now_real_usec = now_usec,
        };
        context->colour = context->stdout_terminal && !(no_color && *no_color);
        return form_from_arguments(arguments, verb, &context->form);
}

/* True if --help or --version was all that was wanted. */
static bool answered(const Arguments *arguments, const Verb *verb)
{
        if (arguments_flag(arguments, "version"))
                puts("credctl " CREDD_VERSION);
        else if (!arguments_flag(arguments, "help"))
                return false;
        else if (verb)
                help_verb(verb);
        else
                help_overview();
        return true;
}

/* No verb: how things are, and where to read on. */
static int run_overview(const Context *context)
{
        int r = verb_status_overview(context);

        if (r == OUTCOME_UNREACHABLE)
                help_overview();
        else if (r == 0 && !context->quiet && context->form == OUTPUT_TABLE)
                output_line(context, STYLE_PLAIN,
                            "What can be done: credctl help; what is wrong: credctl doctor");
        return r;
}

static int run(int argc, char *argv[])
{
        CLEANUP(arguments_done) Arguments arguments = {0};
        uint64_t now_usec = now_real_usec();
        const Verb *verb = NULL;
        Context context;
        int r;

        r = arguments_parse(&arguments, NULL, argc, argv, now_usec);
        if (r != 0)
                return r;
        if (arguments.n_operands > 0) {
                verb = verb_find(arguments.operands[0]);
                if (!verb)
                        return help_unknown_verb(arguments.operands[0]);
                r = arguments_parse(&arguments, verb, arguments.n_operands, arguments.operands,
                                    now_usec);
                if (r != 0)
                        return r;
        }
        if (answered(&arguments, verb))
                return 0;
        r = context_init(&context, &arguments, verb, now_usec);
        if (r == 0 && verb)
                r = arguments_check(&arguments, verb);
        if (r != 0)
                return r;
        return verb ? verb->run(&context, &arguments) : run_overview(&context);
}

int program_run(int argc, char *argv[])
{
        int r, flushed;

        (void)setlocale(LC_CTYPE, "");
        connection_erase_json();
        r = run(argc, argv);
        flushed = output_flush();
        if (r == -EBADMSG)
                r = words_fail(OUTCOME_UNKNOWN,
                               "credd's answer makes no sense; are credd and credctl "
                               "of one version? See credctl status");
        if (r < 0)
                r = words_fail(OUTCOME_FAILED, "%s", strerror(-r));
        /* A token that could not be printed has been reported already, and better. */
        if (flushed < 0 && r == 0)
                r = words_fail(OUTCOME_FAILED, "cannot write to standard output: %s",
                               strerror(-flushed));
        return r;
}
