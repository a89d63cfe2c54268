/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the page looks: one column, system fonts, colours by name so that light, dark and paper differ in
 * one place. Each colour of text has a contrast of 4.5 and more on what it stands on, and each bar one of 3.
 * The table becomes a list of cards where there is no room for its columns. */
#include "credctl/audit-html-internal.h"
#include "credctl/html.h"

static void write_colours(FILE *out)
{
        html_write(out,
                   ":root{color-scheme:light "
                   "dark;--paper:#fff;--raised:#f5f7f9;--ink:#1a1f26;--soft:#56606b;--line:#d5dbe1;"
                   "--link:#1a56b0;--good:#17703a;--good-bg:#e9f6ee;--bad:#b3261e;--bad-bg:#fdeeec;"
                   "--warn:#8a4b00;--warn-bg:#fff4e2;--session:#2460b8;--window:#6b96d4}\n"
                   "@media(prefers-color-scheme:dark){:root{--paper:#14181d;--raised:#1d232a;--ink:"
                   "#e7eaee;--soft:#a3adb8;--line:#343c46;--link:#8ab8ff;--good:#6fd391;--good-bg:#"
                   "16291d;--bad:#ff9a8f;--bad-bg:#351b19;--warn:#f2bd6b;--warn-bg:#30240f;--"
                   "session:#6ea6f5;--window:#47699b}}\n");
}

static void write_text(FILE *out)
{
        html_write(out,
                   "*{box-sizing:border-box}\n"
                   "body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 "
                   "system-ui,-apple-system,'Segoe UI',Roboto,'Noto "
                   "Sans',sans-serif;overflow-wrap:anywhere;-webkit-text-size-adjust:100%}\n"
                   "header,main{max-width:76rem;margin:0 auto;padding:0 1.5rem}\n"
                   "header{padding-top:2.5rem}main{padding-bottom:4rem}\n"
                   "h1{font-size:2rem;line-height:1.2;margin:0;font-weight:650}\n"
                   "h2{font-size:1.35rem;line-height:1.3;margin:3rem 0 1rem;font-weight:650}\n"
                   "h3{font-size:1.05rem;margin:2rem 0 .75rem;font-weight:650}\n"
                   "h4{font-size:1rem;margin:0;font-weight:650}p{margin:0}a{color:var(--link)}\n"
                   "code{font:.92em ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans "
                   "Mono',monospace}\n"
                   ":focus-visible{outline:3px solid var(--link);outline-offset:2px}\n"
                   "time{font-variant-numeric:tabular-nums;white-space:nowrap}\n"
                   ".over,.made{color:var(--soft);font-size:.875rem;margin-bottom:.25rem}.period{"
                   "color:var(--soft);margin-top:.5rem}\n"
                   "main>section:first-child>h2{margin-top:1.5rem}.note,.none{color:var(--soft)}."
                   "note{font-size:.875rem;margin:.75rem 0}\n"
                   ".shapes{position:absolute}.icon{width:1em;height:1em;flex:none}\n"
                   ".f-good{fill:var(--good)}.f-bad{fill:var(--mark,var(--bad))}.s-paper{stroke:"
                   "var(--paper);stroke-width:1.6;fill:none}.s-ink{stroke:var(--ink);stroke-width:"
                   "2;fill:none}.s-open{stroke:var(--soft);stroke-width:2.4;fill:none}.hatch{"
                   "stroke:var(--bad);stroke-width:5}\n");
}

static void write_summary(FILE *out)
{
        html_write(
                out,
                ".answer{display:flex;gap:1rem;padding:1.1rem "
                "1.25rem;border-radius:.5rem;border:1px solid;border-left-width:.4rem}.answer "
                ".icon{width:1.6rem;height:1.6rem;margin-top:.15rem}\n"
                ".answer.good{background:var(--good-bg);border-color:var(--good)}.answer.bad{"
                "background:var(--bad-bg);border-color:var(--bad)}.answer.warn{background:var(--"
                "warn-bg);border-color:var(--warn)}.answer.warn,.warning{--mark:var(--warn)}\n"
                ".lead{font-size:1.25rem;font-weight:650;line-height:1.35}\n"
                ".figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));"
                "gap:1px;margin:0;padding:1px}.figures div{background:var(--paper);padding:.75rem "
                "1rem;outline:1px solid var(--line)}.figures dt{font-size:.875rem}.figures "
                "dd{margin:0;font-size:1.6rem;font-weight:650;line-height:1.25;font-variant-"
                "numeric:tabular-nums}.figures "
                "small{display:block;font-size:.8rem;font-weight:400;color:var(--soft)}.figures "
                ".bad dd{color:var(--bad)}.figures .bad dt{color:var(--bad);font-weight:650}\n"
                ".kind{border-top:1px solid var(--line);padding:.9rem "
                "0}.kind-head{display:grid;grid-template-columns:7rem 1fr}.kind "
                "p{color:var(--soft)}.count{font-weight:400;color:var(--soft)}\n"
                ".severity{display:inline-flex;align-items:center;gap:.4rem;height:1.5rem;font-"
                "size:.875rem;font-weight:650}.critical{color:var(--bad)}.warning{color:var(--warn)"
                "}.severity.note{color:var(--soft);margin:0}\n"
                ".kind ul{list-style:none;margin:.5rem 0 0 7rem;padding:0}.kind "
                "li{display:grid;grid-template-columns:10.5rem 13rem 1fr;gap:0 1rem;padding:.15rem "
                "0;font-size:.9rem}.when{color:var(--soft)}\n"
                ".facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(16rem,1fr));gap:"
                ".9rem 1.5rem;margin:0}.facts dt{font-size:.8rem;color:var(--soft)}.facts "
                "dd{margin:0}.wide{grid-column:1/-1}.limits{margin:0;padding-left:1.25rem}.limits "
                "li{margin:.25rem 0}\n");
}

static void write_timeline(FILE *out)
{
        html_write(out,
                   ".legend{display:flex;flex-wrap:wrap;gap:.3rem 1.25rem;margin:0 0 "
                   ".75rem;padding:0;list-style:none;font-size:.85rem;color:var(--soft)}.legend "
                   "li{display:flex;align-items:center;gap:.45rem}.legend "
                   ".bar{width:1.6rem;height:.7rem;overflow:visible}\n"
                   ".scroll{max-height:44rem;overflow-y:auto;border:1px solid "
                   "var(--line);border-radius:.5rem;padding:0 1rem}figure{margin:0 0 "
                   "1.25rem;padding:.5rem 0 "
                   "0}figcaption{font-size:.85rem;color:var(--soft);margin-bottom:.25rem}.line{"
                   "display:block;width:100%;overflow:visible;font-size:12.5px}\n"
                   ".line text{fill:var(--ink)}.line .soft{fill:var(--soft)}.line "
                   ".t-bad{fill:var(--bad);font-weight:650}.line .t-good{fill:var(--good)}.line "
                   ".id{font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans "
                   "Mono',monospace;fill:var(--soft)}.grid{stroke:var(--line);stroke-width:1}."
                   "asked{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:4 "
                   "3}.win{fill:var(--window);stroke:var(--window)}.ses{fill:var(--session);stroke:"
                   "var(--session)}.over-due{fill:url(#hatch);stroke:var(--bad);stroke-width:1.5}\n"
                   ".rest{fill:var(--soft)}\n");
}

static void write_table(FILE *out)
{
        html_write(
                out,
                "table{border-collapse:collapse;width:100%;table-layout:fixed;font-size:.85rem;"
                "line-height:1.45}caption{text-align:left;color:var(--soft);padding-bottom:.5rem}"
                "th,td{text-align:left;vertical-align:top;padding:.65rem .6rem;border-top:1px "
                "solid var(--line);font-weight:400}thead "
                "th{font-weight:650;border-top:0;border-bottom:2px solid "
                "var(--line);padding-top:.4rem;padding-bottom:.4rem}tbody th "
                "code{font-size:1em;font-weight:650}thead th{width:16%}thead "
                "th:first-child{width:9%}thead th:nth-child(2){width:12%}thead "
                "th:nth-child(3),thead "
                "th:last-child{width:15%}tr:target{background:var(--raised)}td p+p,th p+p,td "
                "p+ul,td ul+p{margin-top:.15rem}td .soft,th .soft{color:var(--soft)}td "
                "ul{list-style:none;margin:0;padding:0}td li+li{margin-top:.45rem}\n"
                ".badge{display:inline-flex;align-items:center;gap:.4rem;font-weight:650}.badge."
                "good{color:var(--good)}.badge.bad,.t-bad{color:var(--bad)}.badge.quiet{color:var(-"
                "-soft)}.tag{display:inline-block;border:1px solid "
                "var(--line);border-radius:.25rem;padding:0 .35rem;font-size:.8rem;margin:.15rem "
                ".2rem 0 0}.tag.bad{border-color:var(--bad);color:var(--bad)}\n"
                "@media screen and "
                "(max-width:74rem){thead{position:absolute;width:1px;height:1px;overflow:hidden;"
                "clip-path:inset(50%)}table,tbody,tr,th,td,caption{display:block}tbody "
                "tr{border:1px solid var(--line);border-radius:.5rem;padding:.5rem "
                ".9rem;margin-bottom:1rem}tbody th,td{border:0;padding:.35rem "
                "0}td{padding-left:6rem;position:relative;min-height:1.95rem}td::before{content:"
                "attr(data-label);position:absolute;left:0;font-weight:650}}\n");
}

static void write_narrow_and_paper(FILE *out)
{
        html_write(
                out,
                "@media screen and "
                "(max-width:44rem){header,main{padding-left:1rem;padding-right:1rem}header{padding-"
                "top:1.5rem}h1{font-size:1.6rem}.figures{grid-template-columns:1fr "
                "1fr}.kind-head{display:block}.kind ul{margin-left:0}.kind "
                "li{display:block;padding:.4rem 0}.kind .when,.kind "
                ".whose{margin-right:.5rem}.kind .what{display:block}.scroll{padding:0 "
                ".75rem}.line{font-size:11.5px}}\n"
                "@media "
                "print{@page{margin:14mm}:root{color-scheme:light;--paper:#fff;--raised:#fff;--ink:"
                "#000;--soft:#444;--line:#bbb;--link:#000;--good:#17703a;--good-bg:#fff;--bad:#"
                "a31f18;--bad-bg:#fff;--warn:#7a4200;--warn-bg:#fff;--session:#2460b8;--window:#"
                "6b96d4}body{font-size:10.5pt}header,main{max-width:none;padding:0 "
                "2px}a{text-decoration:none}.scroll{max-height:none;overflow:visible;border:0;"
                "padding:0 "
                ".5rem}svg{print-color-adjust:exact;-webkit-print-color-adjust:exact}h2,h3,h4,."
                "kind-head{break-after:avoid}figure,tbody tr,.kind li,.answer,.figures "
                "div{break-inside:avoid}thead{display:table-header-group}table{font-size:8pt}."
                "figures{break-inside:avoid;grid-template-columns:repeat(6,1fr)}.figures "
                "div{padding:.3rem .5rem}.figures dt{font-size:8.5pt}.figures "
                "dd{font-size:1.2rem}.figures small{font-size:7pt;line-height:1.3}.kind "
                "li{font-size:9pt;grid-template-columns:9rem 10rem "
                "1fr}.tag{font-size:inherit}@page "
                "wide{size:A4 "
                "landscape;margin:12mm}.lives{page:wide}table{font-size:7.5pt;line-height:1.35}td "
                "p,td "
                "li,td ul{display:inline}td p::after{content:\"; \"}td "
                "p:last-child::after{content:\"\"}td li:not(:last-child)::after{content:\" / \"}td "
                ".badge{display:inline}td "
                ".icon{vertical-align:-.15em;margin-right:.3em}th,td{padding:.35rem .4rem}}\n");
}

void page_style(FILE *out)
{
        html_write(out, "<style>\n");
        write_colours(out);
        write_text(out);
        write_summary(out);
        write_timeline(out);
        write_table(out);
        write_narrow_and_paper(out);
        html_write(out, "</style>\n");
}
