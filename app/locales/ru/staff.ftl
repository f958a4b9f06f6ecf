staff-jobs-title = Задания
staff-edges-title = Шлюзы
staff-vapps-title = vApp
staff-all = Все
staff-states = Состояния
staff-jobs-caption = Задания, новые сверху
staff-jobs-empty = Подходящих заданий нет.
staff-jobs-empty-title = Заданий нет
staff-more = Раньше
job-queued-staff = В очереди
job-running-staff = Выполняется
job-parked-staff = Нет свободного шлюза
job-retry_wait-staff = Ждёт повтора
job-failed-staff = Ошибка
job-rolling_back-staff = Откат идёт
job-rolled_back-staff = Откат выполнен
job-stuck-staff = Застряло: откат не удался
job-succeeded-staff = Готово
job-cancelled-staff = Отменено
col-number = Номер
col-what = Что
col-customer = Клиент
col-step = Шаг
col-attempt = Попытка
col-started = Начато
col-duration = Длительность
col-cause = Причина
col-edge = Шлюз
col-owner = Владелец
col-block = Адреса
col-speed = Скорость
col-job = Задание
col-since = С какого времени
col-checked = Проверен
col-servers = Серверы
col-networks = Сети
col-machines = Машины
col-time = Время
col-event = Событие
col-detail = Подробности
job-summary = Сводка
job-requester = Запросил
job-request-id = Запрос
job-why = Почему не выполняется
job-worker = Исполнитель
job-claim-until = резерв до { $time }
job-no-worker = нет
job-cause-title = Причина
job-steps = Шаги
job-events = Журнал
job-events-caption = Что происходило, старые сверху
job-task = задача платформы { $id }
job-accepted = Принято
edge-free = Свободен
edge-claimed = Зарезервирован
edge-bound = Используется
edge-draining = Очищается
edge-quarantined = На карантине
edges-caption = Пул шлюзов
edges-conflicts = Конфликты резервирования: { $n }
edges-conflicts-hint = Посчитано по таблице. Должно быть 0.
edges-empty-title = Шлюзов нет
edges-empty = Платформа ещё не прочитана.
vapps-caption = vApp по клиентам
vapps-empty-title = vApp пока нет
vapps-empty = Первый заказ клиента создаст его.
vapps-never = Ещё не синхронизирован.
vapps-none = сейчас не существует
vapps-believed = { $servers } у нас, { $machines } на платформе
unlimited = без ограничения
cause-platform_busy = Платформа занята тем же объектом
advice-platform_busy = Повторится само. Если затянется, найдите на платформе другую задачу этого объекта.
cause-platform_unavailable = Платформа не отвечает
advice-platform_unavailable = Повторится само. Проверьте адрес и состояние платформы.
cause-platform_denied = Платформа не принимает нашу учётную запись
advice-platform_denied = Проверьте пользователя, пароль и права учётной записи платформы в конфигурации.
cause-platform_refused = Платформа отклонила запрос
advice-platform_refused = Её слова — в подробностях. Исправьте названное и повторите с этого шага.
cause-task_failed = Задача платформы завершилась ошибкой
advice-task_failed = Её слова — в подробностях. Устраните причину и повторите с этого шага.
cause-timeout = Не завершилось за отведённое время
advice-timeout = Посмотрите задачу на платформе. Если она завершилась, повторите с этого шага: результат найдётся.
cause-outcome_unknown = Запрос отправлен, ответа не было
advice-outcome_unknown = Перед повтором результат считывается. Делать ничего не нужно.
cause-no_free_edge = Нет свободного шлюза
advice-no_free_edge = Освободите шлюз или пополните пул. Заказ продолжится сам.
cause-template_missing = Шаблона нет на платформе
advice-template_missing = Верните шаблон в каталог или выберите другой.
cause-customization_failed = Гостевую систему не удалось настроить
advice-customization_failed = Посмотрите консоль и журнал настройки внутри системы.
cause-order_invalid = Заказ нарушает правило, которое действовало при приёме
advice-order_invalid = С тех пор каталог изменился. Верните его или отмените заказ.
cause-not_last_server = В удаляемой группе остался соседний сервер
advice-not_last_server = Его нельзя останавливать: посмотрите на оба vApp на платформе, затем повторите.
cause-not_movable = Соседний сервер нельзя перенести как есть
advice-not_movable = В подробностях — сервер и что мешает. Вместе с клиентом уберите снимок или ответьте на вопрос машины, затем повторите с этого шага. Ничего не остановлено; шлюз остаётся занят.
cause-irreversible = Сделанное нельзя отменить
advice-irreversible = Посмотрите, что осталось в облаке, затем отметьте шаг выполненным или закончите вручную.
cause-unreadable = Запись задания не читается
advice-unreadable = Её сделала более новая программа или чья-то рука. Обновите этот узел и запустите задание снова.
cause-shape_changed = Задание началось в другой версии сценария
advice-shape_changed = Выполните его той версией программы, которая его приняла, или закажите снова.
cause-panic = Наша программа упала на этом шаге
advice-panic = Передайте разработчикам подробности и номер запроса.
cause-database = Наша база данных не ответила
advice-database = Повторится само. Проверьте диск и базу данных.
cause-internal = То, чему ещё нет имени
advice-internal = Передайте разработчикам подробности и номер запроса.
cause-address_silent = Гость не ответил по своему адресу
advice-address_silent = Если адрес менялся, прежний возвращён. Посмотрите на гостя: работает ли его скрипт запуска и открыт ли порт?
cause-access_refused = Гость не пускает с заказанными данными
advice-access_refused = Посмотрите в консоль гостя: дошёл ли скрипт первого запуска до конца, принимает ли SSH пароль или ключ? Затем повторите задание с этого шага.
cause-snapshot_in_the_way = Мешает снимок
advice-snapshot_in_the_way = Пока он есть, диск не увеличить. Попросите клиента удалить снимок, затем повторите с этого шага.
staff-drift-title = Расхождения
drift-title = Расхождения с нашими записями
drift-lead = Облако просматривается раз в минуту. Пропавшее и бесхозное считается после двух просмотров.
drift-empty-title = Расхождений нет
drift-empty = В облаке всё так, как в наших записях.
drift-what = Что
drift-subject = У чего
drift-desired = Должно быть
drift-observed = Есть
drift-since = С
drift-then = Что дальше
drift-at-once = Исправляется сразу, никто не заметит.
drift-next-restart = Исправится при следующей перезагрузке сервера.
drift-accept = Принять как новое желаемое
drift-machine-missing = Нет машины
drift-network-missing = Нет сети
drift-size = Размер
drift-address = Адрес карты
drift-speed = Скорость
drift-first-login = Смена пароля при первом входе
drift-hostname = Имя внутри
drift-guest-address = Адрес внутри
drift-orphan-machine = Машина без владельца
drift-orphan-network = Сеть без владельца
drift-orphan-group = vApp без владельца
drift-advice-machine-missing = Посмотрите на платформе. Если её больше нет, переустановите сервер вместе с клиентом или удалите его.
drift-advice-network-missing = Посмотрите на платформе. Пока сети нет, сервер без связи.
drift-advice-size = Верните размер вместе с клиентом или примите то, что есть.
drift-advice-orphan-machine = В наших записях её нет. Посмотрите на неё или на него. Затем: slipway orphans --delete ИМЯ.
drift-advice-orphan-network = В наших записях её нет. Её шлюз не вернётся в пул, пока она не удалена. Затем: slipway orphans --delete ИМЯ.
drift-advice-orphan-group = В наших записях его нет. Посмотрите на неё или на него. Затем: slipway orphans --delete ИМЯ.
edges-move = Перенести на другой шлюз
edges-move-title = Перенос { $name } на другой шлюз
edges-move-lead = Сервер получит другой адрес и один раз перезагрузится. Все серверы этого клиента перейдут в новый vApp, не останавливаясь. Если по новому адресу он не ответит, всё вернётся как было.
edges-move-keep = Не возвращать старый шлюз в пул
edges-move-submit = Перенести { $name }
edges-held = Вне пула: { $why }
cause-panel_failed = Установщик панели завершился с ошибкой на сервере
advice-panel_failed = Прочитайте конец журнала: там установщик говорит, чего ему не хватило. Когда на сервере это исправлено, запустите задачу снова; сделанное второй раз не делается.
cause-installer_broken = С этого узла панели не устанавливаются
advice-installer_broken = Ansible здесь отсутствует или сломан: выполните «slipway ansible install» с папкой данных этого узла и запустите задачу снова.
job-log = Вывод
job-log-caption = Что говорили шаги задачи, старые строки первыми

denial-being-undone = Оно откатывается.
denial-being-stopped = Его уже попросили остановиться.
denial-job-waiting = Оно ждёт в очереди и не завершилось ошибкой.
denial-job-running = Оно выполняется.
denial-newer-change = Сервер уже изменила более новая операция, повтор её затрёт:
job-do-rerun = Повторить
job-do-rerun-from = Повторить с шага: { $step }
job-do-roll_back = Откатить
job-do-mark_done = Отметить шаг выполненным
job-do-stop = Отменить задание
job-done-rerun = Снова в очереди, с шага, который не удался.
job-done-roll_back = Сделанное откатывается.
job-done-mark_done = Шаг считается выполненным, задание продолжается.
job-done-stop = Задание попросили остановиться.
job-already = { $by }: уже сделано в { $time }.
job-rerun-means = Шагов сохраняется: { $kept }. Шагов выполнится: { $run }.
job-rerun-end = Оно снова встанет в конец очереди.
job-roll_back-means = Эти шаги будут отменены, в таком порядке:
job-mark_done-means = Шаг { $step } будет считаться выполненным без повтора. Только если его сделали вручную.
job-stop-means = Ожидающее снимается сразу; выполняемое остановится на следующем шаге и отменит сделанное.
job-by-hand = { $by }: { $why }
why-hint = Не меньше 10 символов; останется в записи.
job-keep-network = Оставить сеть, если соседей сейчас не перенести
staff-jobs-search = Найти задания
staff-jobs-how = Как искать
staff-jobs-words = Номер находит одно задание, прочие слова — серверы по имени. Точнее:
staff-jobs-keys = Слова, которые сужают поиск:
staff-jobs-instead = Возможно:
staff-jobs-unknown = Не понято и пропущено:
staff-jobs-all = Все задания
staff-views = Выборки
staff-view-failed = Ошибки
staff-view-stuck = Застрявшие
staff-view-slow = Долгие: { $n }
staff-view-mine = Мои
staff-done-today = Выполнено сегодня
staff-jobs-newer = Новых: { $n }.
staff-jobs-show = Показать
staff-jobs-bulk = Повторить все найденные…
staff-jobs-seen = Задания старше № { $number } не просмотрены.
staff-jobs-further = Искать дальше
slow-unclaimed = никто не выполняет
slow-tries = повторяется снова и снова
slow-step = долгий шаг
bulk-title = Повторить задания с ошибкой
bulk-lead = Каждое продолжится с шага, на котором остановилось. Выполнится только показанное здесь: задание, которое изменится до нажатия кнопки, останется как есть.
bulk-more = Это первые 100 из найденных. Остальные — после них.
bulk-caption = Что произойдёт с каждым заданием
bulk-outcome = Что произойдёт
bulk-will = Повторится
bulk-will-not = Останется
bulk-none = Ни одно из этих заданий нельзя повторить.
bulk-do = { $n ->
    [one] Повторить { $n } задание
    [few] Повторить { $n } задания
   *[other] Повторить { $n } заданий
}
bulk-back = Назад к списку
bulk-again = { $n ->
    [one] { $n } задание снова в очереди.
    [few] { $n } задания снова в очереди.
   *[other] { $n } заданий снова в очереди.
}
bulk-changed = { $n ->
    [one] { $n } успело измениться и оставлено как есть.
    [few] { $n } успели измениться и оставлены как есть.
   *[other] { $n } успели измениться и оставлены как есть.
}
job-assignee = Занимается
job-nobody = никто
job-assign = Взять себе
job-unassign = Вернуть
job-notes = Заметки
job-note-hint = Для коллег; клиенты её не видят. Остаётся в записи.
job-note-add = Добавить заметку
job-note-left = Заметка добавлена.
job-log-file = Скачать журнал
job-back = Назад к заданию

# Обзор
nav-overview = Обзор
overview-failed = { $n ->
    [one] задание с ошибкой
    [few] задания с ошибкой
   *[other] заданий с ошибкой
}
overview-stuck = { $n ->
    [one] застрявшее задание
    [few] застрявших задания
   *[other] застрявших заданий
}
overview-slow = { $n ->
    [one] долгое задание
    [few] долгих задания
   *[other] долгих заданий
}
overview-slow-means = Шаг идёт дольше, чем у 99 из 100.
overview-queued = { $n ->
    [one] задание в очереди
    [few] задания в очереди
   *[other] заданий в очереди
}
overview-parked = { $n ->
    [one] задание ждёт шлюз
    [few] задания ждут шлюз
   *[other] заданий ждут шлюз
}
overview-running = { $n ->
    [one] задание выполняется
    [few] задания выполняются
   *[other] заданий выполняется
}
overview-done-today = Готово сегодня: { $n }
overview-oldest = ждёт дольше всех: { $took }
overview-edges = { $n ->
    [one] шлюз свободен
    [few] шлюза свободны
   *[other] шлюзов свободно
}
overview-drift = { $n ->
    [one] расхождение с записью
    [few] расхождения с записью
   *[other] расхождений с записью
}
overview-platform = платформа
overview-answers = Отвечает
overview-silent = Молчит с { $time }
overview-answered = Обход всего занял { $took } с,
overview-never-answered = Её ещё никто не опрашивал.
overview-workers = { $n ->
    [one] процесс выполняет задания
    [few] процесса выполняют задания
   *[other] процессов выполняют задания
}
overview-heard = Последний раз слышно в { $time }
overview-usual = от заказа до входа, медиана
overview-usual-goal = Цель: от 3 до 5 минут.
overview-days = Серверы за 14 дней
overview-days-said = Заказано { $ordered }, удалено { $ended }; в день не больше { $most }.
overview-as-table = Таблицей
overview-day = День
overview-ordered = заказано
overview-ended = удалено

# Шлюзы
edges-views = Вид
edges-states = Состояния шлюзов
edges-as-table = Таблица
edges-as-grid = Сетка
edges-all = Все шлюзы
edges-none-title = В этом состоянии нет
edges-none = Сейчас в этом состоянии нет ни одного шлюза.
edges-back = Все шлюзы
edges-check = Спросить платформу сейчас
edges-asked = Платформа опрашивается. Новое в пуле появится само.
edges-wanted = Платформу спросили в { $time }, ответа ещё нет.
edges-flow = За 7 дней взято { $taken }, вернулось { $back }.
edges-last = { $n ->
    [0] Такими темпами свободные закончатся за день.
    [one] Такими темпами свободных хватит на { $n } день.
    [few] Такими темпами свободных хватит на { $n } дня.
   *[other] Такими темпами свободных хватит на { $n } дней.
}
edges-enough = Такими темпами они не закончатся.
edges-run-out = Свободных нет: заказы ждут.
edges-low = { $n ->
    [one] Свободен только { $n } шлюз.
    [few] Свободны только { $n } шлюза.
   *[other] Свободно только { $n } шлюзов.
}
edges-low-advice = Добавьте шлюзы на платформе и спросите её снова или освободите: посмотрите на те, что на карантине.
edges-disagree = Запись расходится с платформой
edge-disagree-advice = Посмотрите на сети шлюза на платформе и спросите её снова.
edge-title = Шлюз { $name }
edge-back = Назад к шлюзу
edge-record = Наша запись
edge-platform = Платформа
edge-held = Почему он вне пула
edge-network = Сеть
edge-networks = Сетей на нём
edge-gateway = Шлюз сети
edge-ref = Ссылка
edge-history = История
edge-history-caption = Что было со шлюзом, сначала новое
edge-history-none = С ним ещё ничего не происходило.
edge-do-release = Снять резерв
edge-do-quarantine = На карантин
edge-do-return = Вернуть в пул
edge-release-means = Резерв снимается. Шлюз возвращается в пул или остаётся вне его, пока платформа показывает на нём сеть.
edge-quarantine-means = Шлюз остаётся вне пула, пока его не вернут. Ни один заказ его не получит.
edge-return-means = Шлюз возвращается в пул, и его может сразу получить заказ, который ждёт дольше всех.
edge-done-release = Резерв снят.
edge-done-quarantine = Шлюз вне пула.
edge-done-return = Шлюз снова в пуле.
denial-edge-in-use = На нём стоит сервер.
denial-job-lives = Его задание ещё не завершено:
denial-edge-not-claimed = Он никем не зарезервирован.
denial-edge-out-already = Он уже вне пула.
denial-edge-not-out = Он не вне пула.
denial-edge-has-network = Платформа всё ещё показывает на нём сеть.

# vApp
vapp-title = vApp { $name }
vapp-back = Все vApp
vapp-back-one = Назад к vApp
vapp-ref = На платформе
vapp-resync = Синхронизировать сейчас
vapp-asked = Платформа опрашивается. Что на ней есть, появится здесь после опроса.
vapp-look-wanted = Опрос запрошен в { $time } и ещё не закончен.
vapp-differs = Запись расходится с платформой
vapp-not-ours = нет в нашей записи
vapp-not-there = нет на платформе
vapp-on = включён
vapp-off = выключен
vapp-obstacle = Что мешает переносу
vapp-machines-caption = Серверы: наша запись и платформа рядом
vapp-networks-caption = Сети и что держит каждую
vapp-kept = Почему её нельзя удалить
vapp-kept-machine = В ней карта сервера { $name }.
vapp-kept-runs = В ней никого нет, но серверы этого vApp работают: она уйдёт со следующим переносом.
vapp-kept-nothing = Её больше ничто не держит.
vapp-left = её сервер из неё ушёл
vapp-held = Шлюзы, удержанные для сетей этого клиента
vapp-open = Текущие задания
vapp-moves = История переносов
vapp-no-jobs = Нет.
vapp-plan = Пробный прогон переноса
vapp-plan-of = Что будет перенесено
vapp-plan-unused = убирается то, чем никто не пользуется
vapp-plan-if = если удалить { $name }
vapp-plan-show = Показать, что произойдёт
vapp-plan-nothing = Убирать нечего: переноса не будет.
vapp-plan-next = Новый vApp
vapp-plan-machines = Серверы, которые переедут, не останавливаясь
vapp-plan-networks = Сети, которые переедут с ними
vapp-plan-gone = Удаляется
vapp-plan-old = Удаляемый vApp
vapp-plan-way = Сначала нужно устранить:
vapp-plan-means = По последнему опросу платформы. Ничего не изменено.
vapp-migrate = Перенести
vapp-migrate-begun = Перенос поставлен в очередь.

# Клиенты
nav-customers = Клиенты
customers-search = Почта или имя
customers-all = Все клиенты
customers-empty-title = Клиентов нет
customers-empty = Таких клиентов нет.
customers-open = Открытые задания
customers-failed = с ошибкой: { $n }
customers-caption = Клиенты по адресу почты
customers-next = Дальше
customer-since = клиент с
customer-look-as = Смотреть как клиент
customer-vapp = vApp
customer-jobs = Все задания
customer-no-servers = Серверов нет.
customer-queue = Очередь: кто кого ждёт
customer-no-queue = Открытых заданий нет.
customer-done = Недавно закончено
looking-label = Вы смотрите как клиент
looking-as = Вы видите то же, что { $email }. Изменить ничего нельзя, секреты не показываются. Это записано.
looking-end = Закончить

# Расхождения: ничьё
drift-clear = Удалить…
drift-clear-title = Удаление { $name }
drift-clear-means = В нашей записи его нет. Он удаляется со всем, что на нём есть, при следующем опросе, который его ещё увидит. Отменить это нельзя.
drift-clear-do = Удалить
drift-clear-asked = { $name } удаляется при следующем опросе.
drift-clear-since = Удаление запрошено в { $time }.
drift-clear-gone = Его уже нет, или удаление уже запрошено.

# Система
nav-system = Система
system-answered = Последний ответ
system-took = Обход всего занял
system-seconds = { $n } с
system-maintenance = Работы
system-maintenance-means = Новое не берётся, пока вы не закончите; начатое доводится до конца. Клиенты видят сообщение на каждой странице.
system-maintenance-begin = Начать работы
system-maintenance-end = Закончить работы
system-paused = Ничего не берётся. Администратор может пропустить отдельное задание: на его странице.
system-minutes-hint = Клиентам говорится, до какого времени. Пусто: неизвестно.
system-began = Новое больше не берётся.
system-ended = Задания снова берутся.
system-workers = Процессы, выполняющие задания
system-worker = Процесс
system-worker-there = На месте
system-worker-silent = Молчит
system-worker-unknown = О нём не слышно
system-claims = Взято
system-expires = Первый захват истекает
system-heard = Слышно
system-version = Версия
system-no-workers = Ни один процесс не выполняет задания: принятое не делается. Запустите: slipway worker
system-places = Занято мест: { $n } из { $most }.
system-holding = Задания с ошибкой, которые держат других: { $n }
system-orphans = Расхождения и ничьё: { $n }
system-configuration = Конфигурация
system-configuration-hint = Процесса, который показывает эту страницу, как он запущен. Меняется его аргументами и переменными.
config-listen = Адрес
config-data = Папка данных
config-database = База данных
config-matrix = Матрица конфликтов
config-catalogue = Каталог
config-jobs-at-once = Заданий сразу
config-cloud-jobs-at-once = Заданий сразу на облаке
config-panels-at-once = Панелей сразу
config-vcd = Cloud Director
config-vcd-org = Организация
config-vcd-vdc = VDC
config-vcd-user = Пользователь
config-vcd-password = Пароль

# Журнал
audit-title = Журнал действий
audit-caption = Что сделано вручную, сначала новое
audit-by = Кто
audit-subject = С чем
audit-why = Почему
audit-any = Всё
audit-show = Показать
audit-all = Всё
audit-empty-title = Пусто
audit-empty = Такого не делали.
audit-nobody = Среди сотрудников нет { $email }: эта часть опущена.
audit-csv = Скачать CSV
audit-json = Скачать JSON
audit-command-line = командная строка
audit-edge_release = Снят резерв шлюза
audit-edge_quarantine = Шлюз на карантине
audit-edge_return = Шлюз возвращён в пул
audit-server_change_edge = Сервер переведён на другой шлюз
audit-vapp_migrate = Начат перенос
audit-drift_accept = Расхождение принято
audit-orphan_delete = Удаление ничьего
audit-job_rerun = Задание повторено
audit-job_roll_back = Задание откатано
audit-job_marked_done = Шаг отмечен готовым
audit-job_stop_asked = Задание остановлено
audit-job_bypass = Задание пропущено несмотря на работы
audit-look_as = Просмотр от имени клиента
audit-maintenance_begin = Работы начаты
audit-maintenance_end = Работы закончены
audit-catalogue_change = Каталог изменён
denial-no-maintenance = Работы не идут.
denial-let-through = Оно уже пропущено.
job-do-bypass = Выполнить несмотря на работы
job-done-bypass = Оно выполняется несмотря на работы.
job-bypass-means = Больше ничего не берётся, пока идут работы. Это задание начнётся, как только ему не мешают другие задания клиента.

# Каталог
nav-catalogue = Каталог
catalogue-templates = Системы
catalogue-panels = Панели
catalogue-prices = Цены
catalogue-limits = Пределы
catalogue-prices-title = Цены и пределы
catalogue-offered = Предлагается
catalogue-withdrawn = Снята
catalogue-channel = Канал
catalogue-least = Не меньше
catalogue-add = Добавить систему
catalogue-family = Семейство
catalogue-withdraw-template = Снята: больше не заказывается, её серверы остаются
catalogue-no-panels-title = Панелей нет
catalogue-no-panels = Каталог их не называет.
catalogue-matrix = Какая панель на какой системе работает
catalogue-runs = работает
catalogue-runs-not = не работает
catalogue-runs-on = Работает на
catalogue-days = Предлагается
catalogue-since = с
catalogue-range = от { $min } до { $max }, шаг { $step }
catalogue-min = Не меньше
catalogue-max = Не больше
catalogue-step = Шаг
catalogue-edit-prices = Изменить цены
catalogue-edit-limits = Изменить пределы
catalogue-prices-hint = В месяц, в рублях. Цена существующих серверов не меняется, пока не изменён их размер.
catalogue-from-hint = День, с которого это действует. Пусто: с этого момента.
catalogue-look = Посмотреть, что будет
catalogue-save = Сохранить
catalogue-saved = Изменение записано.
catalogue-touches = { $n ->
    [one] Затрагивает { $n } незаконченный заказ.
    [few] Затрагивает { $n } незаконченных заказа.
   *[other] Затрагивает { $n } незаконченных заказов.
}
catalogue-touches-means = Кто его оформляет, узнает об этом до заказа.
catalogue-samples = Три сервера, в месяц
catalogue-before = Сейчас
catalogue-after = Станет
catalogue-change = Разница
catalogue-pending = Предстоит
catalogue-begun = Недавно изменено
catalogue-withdraw = Отозвать
catalogue-withdrawn-change = Изменение отозвано до начала.
catalogue-withdraw-late = Оно уже действует или отозвано. Измените ещё раз.
audit-catalogue_withdraw = Изменение каталога отозвано
denial-step-not-again = Один из шагов после него нельзя выполнить ещё раз.
job-rerun-otherwise = С другого шага или с другим выбором…
job-from = С какого шага
job-from-failed = где произошла ошибка
job-repeats = { $n ->
    [one] ещё раз выполнится { $n } готовый шаг
    [few] ещё раз выполнятся { $n } готовых шага
   *[other] ещё раз выполнятся { $n } готовых шагов
}
job-no-repeat = { $step } нельзя выполнить ещё раз.
job-other-edge = Взять другой шлюз; этот остаётся вне пула
job-template = Из образа
job-tries = { $n ->
    [one] { $n } событие
    [few] { $n } события
   *[other] { $n } событий
}
log-find = Найти в выводе
log-found = { $n } из { $all } строк
log-follow = Следить за концом
log-from-start = Читать с начала
log-utc = Время в UTC
log-own-time = Время в моей зоне
