"""Every address: the person's first, then the team's behind /team/."""

from django.urls import include, path

from reprieve.web.views import brief, clinic, courses, drugs, evidence, exposure, inbox, join, privacy, public, team

urlpatterns = [
    path("", public.home, name="home"),
    path("what-is-known/", evidence.what_is_known, name="what-is-known"),
    path("what-is-known/claims/", evidence.claims, name="claims"),
    path("what-is-known/trials/", evidence.trials, name="trials"),
    path("what-is-known/trials/forest-<int:width>-<slug:look>.svg", evidence.forest, name="forest"),
    path("what-is-known/trials/<slug:study_id>/", evidence.study, name="study"),
    path("what-is-known/harms/", evidence.harms, name="harms"),
    path("what-is-known/guidelines/", evidence.guidelines, name="guidelines"),
    path("what-is-known/compared/", evidence.compared, name="compared"),
    path("what-is-known/how-it-may-work/", evidence.how_it_may_work, name="how-it-may-work"),
    path("what-is-known/how-it-may-work/<slug:name>-<int:width>-<slug:look>.svg", evidence.link, name="link-picture"),
    path("what-is-known/method/", evidence.method, name="method"),
    path("what-is-known/pictures/<slug:name>-<int:width>-<slug:look>.svg", evidence.picture, name="picture"),
    path("help/", public.help_now, name="help"),
    path("privacy/", public.privacy, name="privacy"),
    path("form/", brief.start, name="form-start"),
    path("form/check/", brief.check, name="form-check"),
    path("form/received/", brief.received, name="form-received"),
    path("form/clear/", brief.clear, name="form-clear"),
    path("form/<slug:page>/", brief.question, name="form-question"),
    path("status/<str:token>/", public.status, name="status"),
    path("status/<str:token>/contact/", public.correct_contact, name="status-contact"),
    path("status/<str:token>/stop/", public.stop_contact, name="status-stop"),
    path("status/<str:token>/erase/", public.erase, name="status-erase"),
    path("team/", inbox.inbox, name="inbox"),
    path("team/news/", inbox.news, name="inbox-news"),
    path("team/enquiry/<int:pk>/", inbox.card, name="card"),
    path("team/enquiry/<int:pk>/call/", inbox.log_attempt, name="log-attempt"),
    path("team/enquiry/<int:pk>/hand-over/", inbox.hand_over, name="hand-over"),
    path("team/enquiry/<int:pk>/rule-out/", inbox.rule_out, name="rule-out"),
    path("team/enquiry/<int:pk>/refer/", inbox.refer, name="refer"),
    path("team/enquiry/<int:pk>/decide/", inbox.decide, name="decide"),
    path("team/enquiry/<int:pk>/reopen/", inbox.reopen, name="reopen"),
    path("team/enquiry/<int:pk>/exposure/", exposure.exposure, name="exposure"),
    path("team/courses/", courses.courses, name="courses"),
    path("team/course/<int:pk>/", courses.course, name="course"),
    # The drug log: what is in the safe, the rows about each lot, the log of a period
    path("team/drugs/", drugs.drugs, name="drugs"),
    path("team/drugs/delivery/", drugs.delivery, name="drug-delivery"),
    path("team/drugs/lot/<int:pk>/", drugs.lot, name="drug-lot"),
    path("team/drugs/lot/<int:pk>/draw/", drugs.write, {"kind": "drawn"}, name="drug-draw"),
    path("team/drugs/lot/<int:pk>/give/", drugs.write, {"kind": "given"}, name="drug-give"),
    path("team/drugs/lot/<int:pk>/waste/", drugs.write, {"kind": "wasted"}, name="drug-waste"),
    path("team/drugs/lot/<int:pk>/return/", drugs.write, {"kind": "returned"}, name="drug-return"),
    path("team/drugs/lot/<int:pk>/count/", drugs.write, {"kind": "inventory"}, name="drug-count"),
    path("team/drugs/row/<int:pk>/take-back/", drugs.take_back, name="drug-take-back"),
    path("team/drugs/log/", drugs.log, name="drug-log"),
    path("team/drugs/log.pdf", drugs.log_pdf, name="drug-log-pdf"),
    # The team itself
    path("team/promises/", team.promises, name="promises"),
    path("team/promises/<int:width>-<slug:look>.svg", team.promises_chart, name="promises-chart"),
    path("team/notices/", team.notices, name="notices"),
    path("team/members/", team.members, name="members"),
    path("team/members/<int:pk>/", team.member, name="member"),
    path("team/join/<str:token>/", join.join, name="join"),
    path("team/stay/", team.stay, name="stay"),
    path("team/clinic/", clinic.edit, name="clinic"),
    path("team/checklist/", clinic.checklist, name="checklist"),
    path("team/erasures/", privacy.erasures, name="erasures"),
    path("team/enquiry/<int:pk>/erase/", privacy.erase, name="erase"),
    path("team/enquiry/<int:pk>/export/", privacy.export, name="export"),
    path("team/audit/", privacy.audit, name="audit"),
    path("account/", include("allauth.urls")),
]

handler400 = "reprieve.web.views.failures.bad_request"
handler403 = "reprieve.web.views.failures.forbidden"
handler404 = "reprieve.web.views.failures.not_found"
handler500 = "reprieve.web.views.failures.broken"
