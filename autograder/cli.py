"""The `autograder` command: build, verify, workspace, release, simulate, grade, report."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from autograder import stage as stages


def main(arguments: list[str] | None = None) -> int:
    """Run one sub-command; errors that a person can mend are one sentence on stderr, exit status 2."""
    parser = argparse.ArgumentParser(prog="autograder", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("build", help="rebuild the learner's notebooks from their text sources")
    command.add_argument("stages", nargs="*", metavar="STAGE")
    command.set_defaults(run=_build)

    command = commands.add_parser("verify", help="prove every exercise and every cell of the stages")
    command.add_argument("stages", nargs="*", metavar="STAGE")
    command.add_argument("--seeds", type=int, default=5, help="seeds to try each exercise on (5)")
    command.add_argument("--no-run", action="store_true", help="do not execute the notebooks")
    command.add_argument("--no-wall", action="store_true", help="do not try the answers as exams")
    command.set_defaults(run=_verify)

    command = commands.add_parser("workspace", help="copy the learner's notebooks into a folder")
    command.add_argument("folder", type=Path)
    command.set_defaults(run=_workspace)

    command = commands.add_parser("release", help="prepare an nbgrader course folder")
    command.add_argument("course", type=Path)
    command.add_argument("stages", nargs="*", metavar="STAGE")
    command.add_argument("--solutions", action="store_true", help="let learners open solutions")
    command.add_argument("--replace", action="store_true", help="overwrite edited source notebooks")
    command.set_defaults(run=_release)

    command = commands.add_parser("simulate", help="hand in the work of a simulated class")
    command.add_argument("course", type=Path)
    command.add_argument("--learners", type=int, default=20)
    command.add_argument("--seed", type=int, default=0)
    command.set_defaults(run=_simulate)

    command = commands.add_parser("grade", help="grade what a class handed in, out of reach of its code")
    command.add_argument("course", type=Path)
    command.add_argument("stages", nargs="*", metavar="STAGE")
    command.add_argument("--workers", type=int, metavar="N", help="exams at a time (one per core)")
    command.add_argument("--scheduler", metavar="ADDRESS", help="use an existing Dask cluster")
    for part in ("ca", "cert", "key"):
        command.add_argument(f"--tls-{part}", metavar="FILE", help=f"that cluster's {part} (PEM)")
    command.add_argument("--attempt", type=int, default=1, metavar="N", help="attempt at this exam (1)")
    command.add_argument("--demos", action="store_true", help="also run cells that are only to be looked at")
    command.add_argument("--unsandboxed", action="store_true", help="run learners' code without any wall")
    command.add_argument("--again", action="store_true", help="grade what is already graded as well")
    command.set_defaults(run=_grade)

    command = commands.add_parser("report", help="report on a class from its autograded notebooks")
    command.add_argument("course", type=Path)
    command.add_argument("stages", nargs="*", metavar="STAGE")
    command.add_argument("--to", type=Path, metavar="FOLDER", help="where to write it (COURSE/report)")
    command.set_defaults(run=_report)

    options = parser.parse_args(arguments)
    try:
        return options.run(options)
    except (ValueError, OSError) as error:
        print(f"autograder: {error}", file=sys.stderr)
        return 2


def _chosen(options: argparse.Namespace) -> list[Path]:
    names = options.stages or list(stages.stage_folders())
    return [stages.stage_folder(name) for name in names]


def _build(options: argparse.Namespace) -> int:
    from autograder import notebooks

    for folder in _chosen(options):
        file = notebooks.notebook_file(folder)
        notebooks.write_notebook(notebooks.build_learner(folder, stages.load_stage(folder)), file)
        print(f"built {folder.name}/{file.name}")
    return 0


def _verify(options: argparse.Namespace) -> int:
    from autograder import verify

    problems: list[str] = []
    everything = {}
    for folder in _chosen(options):
        exercises = stages.load_stage(folder)
        everything |= exercises
        proofs = []
        for number, exercise in enumerate(exercises.values(), start=1):
            print(f"{folder.name}: {exercise.name} ({number} of {len(exercises)})", file=sys.stderr)
            proofs.append(verify.prove(exercise, range(options.seeds)))
        print(f"{folder.name}\n{verify.table(exercises, proofs)}")
        problems += [problem for proof in proofs for problem in proof.problems]
        problems += verify.cell_problems(folder, exercises)
        problems += verify.stale(folder, exercises)
        if not options.no_run:
            print(f"{folder.name}: running the notebook, solved and untouched", file=sys.stderr)
            problems += verify.run_problems(folder, exercises)
        if not options.no_wall:
            print(f"{folder.name}: handing every known answer in as an exam", file=sys.stderr)
            problems += verify.wall_problems(folder, exercises)
    print(verify.coverage(everything))
    for problem in problems:
        print(f"PROBLEM {problem}")
    print(f"{len(problems)} problems")
    return int(bool(problems))


def _workspace(options: argparse.Namespace) -> int:
    from autograder import workspace

    for message in workspace.fill(options.folder, list(stages.stage_folders().values())):
        print(message)
    return 0


def _release(options: argparse.Namespace) -> int:
    from autograder import release

    for line in release.prepare(options.course, _chosen(options), options.solutions, options.replace):
        print(line)
    return 0


def _simulate(options: argparse.Namespace) -> int:
    from autograder import simulate

    print(simulate.hand_in(options.course, options.learners, options.seed))
    return 0


def _grade(options: argparse.Namespace) -> int:
    from autograder.cluster import Tls
    from autograder.exam import grade

    files = [options.tls_ca, options.tls_cert, options.tls_key]
    if any(files) and not all(files):
        raise ValueError("tls: --tls-ca, --tls-cert and --tls-key belong together; give all three or none")
    if options.unsandboxed:
        print(
            "WARNING: --unsandboxed: every submission runs as you, and can read and change your files, the"
            " gradebook, the exam's secret and its own grade.",
            file=sys.stderr,
        )
    plan = grade.Plan(
        options.course,
        options.stages,
        attempt=options.attempt,
        again=options.again,
        demos=options.demos,
        unsandboxed=options.unsandboxed,
        workers=options.workers,
        scheduler=options.scheduler,
        tls=Tls(*files) if all(files) else None,
    )
    try:
        tallies = grade.run(plan)
    except KeyboardInterrupt:
        print("autograder: stopped; run the same command again to grade the rest", file=sys.stderr)
        return 130
    for tally in tallies:
        print("\n".join(tally.lines()))
    return int(any(tally.failed for tally in tallies))


def _report(options: argparse.Namespace) -> int:
    from autograder import report, report_page

    graded = report.read(options.course, options.stages)
    print(report.as_text(graded))
    print(f"\n{report_page.write(options.course, graded, options.to)}")
    return 0
